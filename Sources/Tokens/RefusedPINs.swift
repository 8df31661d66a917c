import Files
import PKCS11URI
import SystemPackage
import TokenService

/// The tries that PINs may have cost tokens, in a file that outlives a restart of the agent and nothing else: it is in the
/// runtime directory, which is in memory. A restart loop must not spend a card's tries one by one.
///
/// A line `unknown` once the file could not be read, so that what it held is lost. A line for each token that owes an answer
/// to C_Login: its names. A line for each PIN that a token has refused: the token, salt and hash.
struct RefusedPINs: Sendable {
    let file: RuntimeFile

    private static let unknown = Array("unknown".utf8)

    /// A file of ours that cannot be read leaves every token in doubt.
    func load() -> PINTries.Record {
        // A file that another user has put there is not believed: each line costs a login some tenths of a second.
        let bytes: [UInt8]
        switch file.read() {
        case .bytes(let read): bytes = read
        case .none, .foreign: return PINTries.Record()
        case .unreadable: return PINTries.Record(areUnknown: true)
        }
        var found = PINTries.Record()
        for text in bytes.split(separator: UInt8(ascii: "\n")) {
            if text.elementsEqual(Self.unknown) { found.areUnknown = true }
            guard let line = TokenLine(text) else { continue }
            switch line.more.count {
            case 0: found.unanswered.insert(line.key)
            case 2:
                guard let pin = FailedPIN(salt: line.more[0], hash: line.more[1]) else { continue }
                found.refused[line.key, default: []].append(pin)
            default: continue
            }
        }
        return found
    }

    /// Writes all of it, whole or not at all.
    ///
    /// - Returns: Whether it is on disk. If it is not, the promise holds as long as this agent lives.
    func save(_ record: PINTries.Record) -> Bool {
        var lines = record.unanswered.map { TokenLine($0).bytes }
        for (key, pins) in record.refused { lines += pins.map { TokenLine(key, [$0.salt, $0.hash]).bytes } }
        if record.areUnknown { lines.insert(Self.unknown + [UInt8(ascii: "\n")], at: 0) }
        do throws(Errno) {
            if lines.isEmpty { try file.remove() } else { try file.write(Array(lines.joined())) }
            return true
        } catch {
            return false
        }
    }
}
