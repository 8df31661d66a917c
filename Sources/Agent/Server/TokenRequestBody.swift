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
        pin = try members.pin(in: json, isFromLogin: isFromLogin)
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

/// The body of `POST /v1/certificates`: `{"uri"}`.
package struct CertificatesBody {
    package let uri: String

    /// - Throws: `badRequest`.
    package init(_ json: Span<UInt8>) throws(Problem) {
        guard let uri = try JSONMembers(body: json, names: ["uri"]).text("uri", in: json) else {
            throw Problem(.badRequest, "the body has no uri")
        }
        self.uri = uri
    }
}

/// The body of `POST /v1/certificate-requests`: `{"key","subject","names"?,"pin"?}`.
package struct CertificateRequestBody {
    package let key: String
    package let subject: String
    package let names: [String]
    package let pin: HeldPIN?

    /// - Throws: `badRequest`, which quotes nothing of the body.
    package init(_ json: Span<UInt8>) throws(Problem) {
        let members = try JSONMembers(body: json, names: ["key", "subject", "pin"], arrays: ["names"])
        guard let key = members.text("key", in: json) else { throw Problem(.badRequest, "the body has no key") }
        guard let subject = members.text("subject", in: json) else {
            throw Problem(.badRequest, "the body has no subject")
        }
        self.key = key
        self.subject = subject
        guard let names = try members.texts("names", in: json) else {
            throw Problem(.badRequest, "an array of the body holds other values than strings")
        }
        self.names = names
        pin = try members.pin(in: json, isFromLogin: false)
    }
}

extension JSONMembers {
    private static func limits(_ bytes: Int = 1 << 20) -> JSONLimits {
        JSONLimits(bytes: bytes, depth: 8, values: 128, members: 16)
    }

    /// - Parameters:
    ///   - names: The members that may be there as strings.
    ///   - arrays: Those that may be there as arrays.
    ///   - largest: In bytes.
    /// - Throws: `badRequest`, which quotes nothing of the body.
    init(
        body: Span<UInt8>, names: [StaticString], arrays: [StaticString] = [], largest: Int = 1 << 20
    ) throws(Problem) {
        do throws(JSONFault) {
            try self.init(body, limits: Self.limits(largest))
        } catch {
            throw error.problem
        }
        for member in all {
            if arrays.contains(where: { JSONString.isEqual(member.name, to: $0, in: body) }) {
                guard member.value == .array else { throw Problem(.badRequest, "a member of the body is not an array") }
                continue
            }
            guard names.contains(where: { JSONString.isEqual(member.name, to: $0, in: body) }) else {
                throw Problem(.badRequest, "the body has a member that is not known here")
            }
            guard case .string = member.value else {
                throw Problem(.badRequest, "a member of the body is not a string")
            }
        }
    }

    /// The strings of an array: none where it is not there, nil where it holds other values. Not for secrets: they are
    /// ordinary memory.
    fileprivate func texts(_ name: StaticString, in body: Span<UInt8>) throws(Problem) -> [String]? {
        guard value(name, in: body) == .array else { return [] }
        var reader = JSONReader(limits: Self.limits())
        var texts: [String]?
        do throws(JSONFault) {
            while let event = try reader.next(in: body) {
                switch (event, texts) {
                case (.name(let range), nil):
                    if JSONString.isEqual(range, to: name, in: body), try reader.next(in: body) == .array { texts = [] }
                case (.string(let range), let found?):
                    texts = found + [String(decoding: JSONString.decode(range, in: body), as: UTF8.self)]
                case (.end, let found?): return found
                case (_, _?): return nil
                default: continue
                }
            }
        } catch {
            throw error.problem
        }
        return []
    }

    /// The PIN, or another secret, in its own page; nil where there is none.
    func pin(_ name: StaticString = "pin", in body: Span<UInt8>, isFromLogin: Bool = false) throws(Problem) -> HeldPIN?
    {
        guard case .string(let range)? = value(name, in: body) else { return nil }
        do throws(PINError) {
            return HeldPIN(
                try unsafe PIN { (page) throws(PINError) in
                    var count = 0
                    var bytes = JSONString(range)
                    while let byte = bytes.next(in: body) {
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
