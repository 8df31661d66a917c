package import AgentAPI
import Synchronization
package import TokenService

/// A PIN on its way from the event loop to the task that uses it, which takes it once.
package final class PINHandover: Sendable {
    private let pin: Mutex<PIN?>

    init(_ pin: consuming PIN?) {
        self.pin = Mutex(pin)
    }

    package func take() -> PIN? { pin.withLock { $0.take() } }
}

/// The body of `POST /v1/tokens/unlock`: `{"uri","pin"?,"origin"?}`.
package struct UnlockBody {
    package let uri: String
    package let pin: PINHandover
    /// `"origin":"login"`: a login of the workstation's hands the PIN over, and nobody typed it for the token.
    package let isFromLogin: Bool

    /// - Throws: `badRequest`, which says what is wrong with the body and nothing of what is in it.
    package init(_ json: Span<UInt8>) throws(Problem) {
        let members = try JSONStringMembers(body: json, names: ["uri", "pin", "origin"])
        guard let uri = members.text("uri", in: json) else { throw Problem(.badRequest, "the body has no uri") }
        self.uri = uri
        let origin = members.text("origin", in: json)
        guard origin == nil || origin == "login" else {
            throw Problem(.badRequest, "the body's origin is not \"login\"")
        }
        isFromLogin = origin != nil
        guard members.contains("pin") else {
            pin = PINHandover(nil)
            return
        }
        do throws(PINError) {
            pin = PINHandover(
                try unsafe PIN { (page) throws(PINError) in
                    var count = 0
                    try members.forEachByte(of: "pin", in: json) { (byte) throws(PINError) in
                        guard count < page.count else { throw .tooLong }
                        guard byte >= 0x20, byte != 0x7F else { throw .controlByte }
                        unsafe page[count] = byte
                        count += 1
                    }
                    return count
                })
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
        uri = json.isEmpty ? nil : try JSONStringMembers(body: json, names: ["uri"]).text("uri", in: json)
    }
}

extension JSONStringMembers {
    fileprivate init(body: Span<UInt8>, names: [String]) throws(Problem) {
        do throws(Fault) {
            try self.init(body, names: names)
        } catch {
            throw Problem(.badRequest, error.rawValue)
        }
    }

    fileprivate func text(_ name: String, in json: Span<UInt8>) -> String? {
        guard contains(name) else { return nil }
        var bytes: [UInt8] = []
        forEachByte(of: name, in: json) { bytes.append($0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension PINError {
    fileprivate var problem: Problem {
        switch self {
        case .empty: Problem(.badRequest, "the PIN is empty")
        case .tooLong: Problem(.badRequest, "the PIN is longer than \(PIN.capacity) bytes")
        case .controlByte: Problem(.badRequest, "the PIN holds a control character")
        case .notUTF8: Problem(.badRequest, "the PIN is not UTF-8")
        case .noMemory, .unreadable, .unsafeFile: Problem(.internalFault, "there is no memory for the PIN")
        }
    }
}
