package import AgentAPI
import Encodings
import JSON
package import KeeperService
import PlainText
package import TokenService

/// The body of `POST /v1/keys/generate`: `{"uri","type","label","id","pin"?}`.
package struct KeyGenerationBody: Sendable {
    /// The token's, as it arrived.
    package let uri: String
    package let type: NewKeyType
    package let label: [UInt8]
    package let id: [UInt8]
    package let pin: HeldPIN?

    /// - Throws: `badRequest`.
    package init(_ json: Span<UInt8>) throws(Problem) {
        let members = try JSONMembers(body: json, names: ["uri", "type", "label", "id", "pin"])
        guard let uri = members.text("uri", in: json), let word = members.text("type", in: json),
            let label = members.text("label", in: json), let digits = members.text("id", in: json)
        else { throw Problem(.badRequest, "the body needs uri, type, label and id") }
        guard let type = NewKeyType(word: word) else {
            let words = NewKeyType.allCases.map(\.word).joined(separator: ", ")
            throw Problem(.badRequest, "the type is none that is made here", hint: "give one of \(words)")
        }
        self.uri = uri
        self.type = type
        self.label = try Self.checked(label: label)
        id = try Self.checked(id: digits)
        pin = try members.pin(in: json)
    }

    /// A label of an object that is made here.
    static func checked(label: String) throws(Problem) -> [UInt8] {
        let bytes = Array(label.utf8)
        guard (1...255).contains(bytes.count), label.unicodeScalars.allSatisfy(PlainText.isHarmless) else {
            throw Problem(
                .badRequest, "the label is not one line of 1 to 255 bytes that all show", hint: "give another label")
        }
        return bytes
    }

    /// An id of an object that is made here.
    static func checked(id digits: String) throws(Problem) -> [UInt8] {
        guard let bytes = Hexadecimal.decode(digits.utf8), (1...255).contains(bytes.count) else {
            throw Problem(
                .badRequest, "the id is not 1 to 255 bytes in hexadecimal digits", hint: "give it as in 01 or 4a6b")
        }
        return bytes
    }
}

/// The body of `POST /v1/keys/verify` and `/v1/keys/destroy`: `{"uri","pin"?,"serial"?}`.
package struct KeyBody: Sendable {
    /// The key's, as it arrived.
    package let uri: String
    package let pin: HeldPIN?
    /// The token's serial number, as the person has typed it.
    package let serial: String?

    /// - Parameter needsSerial: Whether it must say which token is meant a second time.
    /// - Throws: `badRequest`.
    package init(_ json: Span<UInt8>, needsSerial: Bool = false) throws(Problem) {
        let members = try JSONMembers(body: json, names: needsSerial ? ["uri", "pin", "serial"] : ["uri", "pin"])
        guard let uri = members.text("uri", in: json) else { throw Problem(.badRequest, "the body has no uri") }
        self.uri = uri
        serial = members.text("serial", in: json)
        guard !needsSerial || serial != nil else { throw Problem(.badRequest, "the body has no serial") }
        pin = try members.pin(in: json)
    }
}
