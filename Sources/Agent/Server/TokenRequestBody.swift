import AWSNames
package import AgentAPI
import JSON
import LockedMemory
package import STS
package import TokenService

/// The body of `POST /v1/tokens/unlock`: `{"uri","pin"?,"origin"?}`.
package struct UnlockBody {
    package let uri: String
    package let pin: HeldPIN?
    /// `"origin":"login"`: a login to the workstation hands the PIN over; it was not typed for the token.
    package let isFromLogin: Bool

    /// - Throws: `badRequest`, which says what is wrong with the body and nothing of what is in it.
    package init(_ json: Span<UInt8>) throws(Problem) {
        let members = try JSONMembers(body: json, names: ["uri", "pin", "origin"])
        guard let uri = members.text("uri", in: json) else { throw Problem(.badRequest, "the body has no uri") }
        self.uri = uri
        let origin = members.text("origin", in: json)
        guard origin == nil || origin == "login" else {
            throw Problem(.badRequest, "the body's origin is not \"login\"")
        }
        isFromLogin = origin != nil
        guard case .string(let range)? = members.value("pin", in: json) else {
            pin = nil
            return
        }
        do throws(PINError) {
            pin = HeldPIN(
                try unsafe PIN { (page) throws(PINError) in
                    var count = 0
                    var bytes = JSONString(range)
                    while let byte = bytes.next(in: json) {
                        guard count < page.count else { throw .tooLong }
                        unsafe page[count] = byte
                        count += 1
                    }
                    return count
                }, isFromLogin: isFromLogin)
        } catch {
            throw error.problem
        }
    }
}

/// The body of `POST /v1/lock`: `{"uri"?}`, or none.
package struct LockBody {
    package let uri: String?

    /// - Throws: `badRequest`.
    package init(_ json: Span<UInt8>) throws(Problem) {
        uri = json.isEmpty ? nil : try JSONMembers(body: json, names: ["uri"]).text("uri", in: json)
    }
}

/// The body of `POST /v1/profiles/{name}/refresh`: `{"mfa_code"?}`, or none.
package struct RefreshBody {
    package let code: MFACode?

    /// - Throws: `badRequest`, which quotes nothing of the body.
    package init(_ json: Span<UInt8>) throws(Problem) {
        guard !json.isEmpty,
            case .string(let range)? = try JSONMembers(body: json, names: ["mfa_code"]).value("mfa_code", in: json)
        else {
            code = nil
            return
        }
        var digits: [UInt8] = []
        var bytes = JSONString(range)
        while digits.count < 7, let byte = bytes.next(in: json) { digits.append(byte) }
        do throws(RequestFault) {
            code = try MFACode(digits.span)
        } catch {
            throw Problem(.badRequest, "\(error.message, .reason)", hint: "give the six digits that the device shows")
        }
    }
}

extension JSONMembers {
    /// - Parameter names: The members that may be there. Each is a string.
    /// - Throws: `badRequest`, which quotes nothing of the body.
    fileprivate init(body: Span<UInt8>, names: [StaticString]) throws(Problem) {
        do throws(JSONFault) {
            try self.init(body, limits: JSONLimits(depth: 8, values: 64, members: 16))
        } catch {
            throw error.problem
        }
        for member in all {
            guard names.contains(where: { JSONString.isEqual(member.name, to: $0, in: body) }) else {
                throw Problem(.badRequest, "the body has a member that is not known here")
            }
            guard case .string = member.value else {
                throw Problem(.badRequest, "a member of the body is not a string")
            }
        }
    }
}

extension JSONFault {
    fileprivate var problem: Problem {
        switch reason {
        case .notUTF8: Problem(.badRequest, "the body is not UTF-8")
        case .badString: Problem(.badRequest, "a string in the body is malformed")
        case .repeatedName: Problem(.badRequest, "the body has a member twice")
        case .tooMuch: Problem(.badRequest, "the body has too many levels or members")
        case .unexpected, .otherValue: Problem(.badRequest, "the body is not one JSON object")
        }
    }
}

extension PINError {
    fileprivate var problem: Problem {
        switch self {
        case .empty: Problem(.badRequest, "the PIN is empty")
        case .tooLong: Problem(.badRequest, "the PIN is longer than \(PIN.capacity, .limit) bytes")
        case .controlByte: Problem(.badRequest, "the PIN holds a control character")
        case .notUTF8: Problem(.badRequest, "the PIN is not UTF-8")
        case .noMemory, .unreadable, .unsafeFile: Problem(.internalFault, "there is no memory for the PIN")
        }
    }
}
