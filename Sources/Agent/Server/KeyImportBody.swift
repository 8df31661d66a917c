package import AgentAPI
import Encodings
import JSON
package import KeeperService
import LockedMemory
package import TokenService

/// The body of `POST /v1/keys/import`: `{"uri","label","id","file","password"?,"pin"?}`.
///
/// The file passes through the agent without being parsed. It may hold a key in clear, and is in ordinary memory here, which
/// this program wipes whenever it is freed (CWipingHeap); a core dump has none of it, because there is none.
package struct KeyImportBody: Sendable {
    /// The token's, as it arrived.
    package let uri: String
    package let label: [UInt8]
    package let id: [UInt8]
    package let file: KeyFileOpening
    /// The file's password, where it is not empty.
    package let password: HeldPIN?
    package let pin: HeldPIN?

    /// - Throws: `badRequest`, which quotes nothing of the body.
    package init(_ json: Span<UInt8>) throws(Problem) {
        let members = try JSONMembers(
            body: json, names: ["uri", "label", "id", "file", "password", "pin"], largest: Route.keyImport)
        guard let uri = members.text("uri", in: json), let label = members.text("label", in: json),
            let digits = members.text("id", in: json), case .string(let range)? = members.value("file", in: json)
        else { throw Problem(.badRequest, "the body needs uri, label, id and file") }
        self.uri = uri
        self.label = try KeyGenerationBody.checked(label: label)
        id = try KeyGenerationBody.checked(id: digits)
        let (kind, password) = try Self.password(members, json)
        self.password = password
        pin = try members.pin(in: json)
        file = KeyFileOpening(content: try Self.content(range, json), password: kind)
    }

    private static func password(
        _ members: JSONMembers, _ json: Span<UInt8>
    ) throws(Problem) -> (KeyFileOpening.Password, HeldPIN?) {
        guard case .string(let range)? = members.value("password", in: json) else { return (.none, nil) }
        if range.isEmpty { return (.empty, nil) }
        do throws(Problem) {
            return (.secret, try members.pin("password", in: json))
        } catch {
            throw Problem(.badRequest, "the file's password is not one line of at most \(PIN.capacity, .limit) bytes")
        }
    }

    private static func content(_ range: Range<Int>, _ json: Span<UInt8>) throws(Problem) -> [UInt8] {
        var decoder = Base64Decoder(length: range.count)
        var characters = JSONString(range)
        while let character = characters.next(in: json) {
            guard decoder.take(character) else {
                throw Problem(.badRequest, "the file is not base 64 without line breaks")
            }
        }
        guard decoder.isComplete else { throw Problem(.badRequest, "the file is not whole groups of base 64") }
        return decoder.bytes
    }
}
