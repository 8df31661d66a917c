import Files
import PKCS11URI
import SystemPackage
import TokenService

/// What may have cost tokens a try, in a file that outlives a restart of the agent and nothing else: it is in the
/// runtime directory, which is in memory. A restart loop must not spend a card's tries one by one.
///
/// A line `unknown` once the file could not be read, so that what it held is lost. A line for each token that owes an answer
/// to C_Login: its names. A line for each PIN that a token has refused: the token, salt and hash.
struct RefusedPINs: Sendable {
    let file: RuntimeFile

    private static let unknown = Array("unknown".utf8)

    /// A file of ours that cannot be read leaves every token in doubt.
    func load() -> TokenLedger.Tries {
        // What another user has put there is not believed: each line costs a login some tenths of a second.
        let bytes: [UInt8]
        switch file.read() {
        case .bytes(let read): bytes = read
        case .none, .foreign: return TokenLedger.Tries()
        case .unreadable: return TokenLedger.Tries(areUnknown: true)
        }
        var found = TokenLedger.Tries()
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if line.elementsEqual(Self.unknown) { found.areUnknown = true }
            guard let fields = HexadecimalLine(line)?.fields, let key = TokenKey(fields: fields) else { continue }
            switch fields.count - TokenKey.fieldCount {
            case 0: found.unanswered.insert(key)
            case 2:
                guard let pin = FailedPIN(salt: fields[5], hash: fields[6]) else { continue }
                found.refused[key, default: []].append(pin)
            default: continue
            }
        }
        return found
    }

    /// Writes all of it, whole or not at all.
    ///
    /// - Returns: Whether it is on disk. If it is not, the promise holds as long as this agent lives.
    func save(_ content: TokenLedger.Tries) -> Bool {
        let lines =
            content.unanswered.map(\.fields)
            + content.refused.flatMap { key, pins in pins.map { key.fields + [$0.salt, $0.hash] } }
        do throws(Errno) {
            let bytes =
                (content.areUnknown ? Self.unknown + [UInt8(ascii: "\n")] : [])
                + lines.flatMap { HexadecimalLine($0).bytes }
            if bytes.isEmpty { try file.remove() } else { try file.write(bytes) }
            return true
        } catch {
            return false
        }
    }
}
