import Encodings
import Files
import ModuleFiles
import PKCS11URI
import SystemPackage
import TokenService

// What outlives the agent, in files beside the socket: they end with the runtime directory, which is in memory.

/// The locks that people have set: a lock ends with `unlock`, and not with the agent.
///
/// The first line says `all` or `some`. A line follows for each token that is locked, or, under `all`, is not.
extension LockSet {
    /// A file of ours that cannot be understood locks everything: what was unlocked by mistake cannot be locked again.
    init(_ content: RuntimeFile.Content) {
        self.init()
        switch content {
        case .none, .foreign: break
        case .unreadable: self = LockSet(isAllLocked: true)
        case .bytes(let bytes):
            let lines = bytes.split(separator: UInt8(ascii: "\n"))
            let first = lines.first.map { String(decoding: $0, as: UTF8.self) }
            let keys = lines.dropFirst().compactMap { TokenLine($0) }.filter(\.more.isEmpty).map(\.key)
            let isWhole = bytes.last == UInt8(ascii: "\n") && keys.count == lines.count - 1
            guard isWhole, first == "all" || first == "some" else {
                self = LockSet(isAllLocked: true)
                return
            }
            self = LockSet(isAllLocked: first == "all", exceptions: Set(keys))
        }
    }

    /// None where nothing is locked.
    var bytes: [UInt8] {
        guard self != LockSet() else { return [] }
        return exceptions.reduce(Array((isAllLocked ? "all\n" : "some\n").utf8)) { $0 + TokenLine($1).bytes }
    }
}

/// The tries that PINs may have cost tokens: a restart loop must not spend a card's tries one by one.
///
/// A line `unknown` once the file could not be read, so that its lines are lost; then a line for each token that a person has
/// unlocked since, with one more field. A line for each token that owes an answer to C_Login: its names. A line for each PIN
/// that a token has refused: the token, salt and hash.
extension PINTries.Record {
    private static let unknown = Array("unknown".utf8)

    /// A file of ours that cannot be read leaves every token in doubt. A file that another user has put there is not believed:
    /// each line costs a login some tenths of a second.
    init(_ content: RuntimeFile.Content) {
        self.init()
        guard case .bytes(let bytes) = content else {
            unlockedSinceUnknown = content == .unreadable ? [] : nil
            return
        }
        for text in bytes.split(separator: UInt8(ascii: "\n")) {
            if text.elementsEqual(Self.unknown) { unlockedSinceUnknown = [] }
            guard let line = TokenLine(text) else { continue }
            switch line.more.count {
            case 0: unanswered.insert(line.key)
            case 1: unlockedSinceUnknown?.insert(line.key)
            case 2:
                guard let pin = FailedPIN(salt: line.more[0], hash: line.more[1]) else { continue }
                refused[line.key, default: []].append(pin)
            default: continue
            }
        }
    }

    var bytes: [UInt8] {
        let lines =
            unanswered.map { TokenLine($0) }
            + refused.flatMap { key, pins in pins.map { TokenLine(key, [$0.salt, $0.hash]) } }
        guard let unlockedSinceUnknown else { return lines.flatMap(\.bytes) }
        return Self.unknown + [UInt8(ascii: "\n")]
            + (unlockedSinceUnknown.map { TokenLine($0, [Array("unlocked".utf8)]) } + lines).flatMap(\.bytes)
    }
}

extension RuntimeFile {
    /// Writes all of it, whole or not at all; removes the file where there is nothing to write.
    func keep(_ bytes: [UInt8]) throws(Errno) {
        if bytes.isEmpty { try remove() } else { try write(bytes) }
    }
}

/// A token's names (module, label, manufacturer, model, serial) and perhaps more byte strings, in hexadecimal, with a blank
/// between two of them.
private struct TokenLine {
    let key: TokenKey
    let more: [[UInt8]]

    init(_ key: TokenKey, _ more: [[UInt8]] = []) {
        self.key = key
        self.more = more
    }

    /// - Parameter line: Without its end.
    init?(_ line: ArraySlice<UInt8>) {
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        let names = words.compactMap { Hexadecimal.decode($0) }
        guard names.count == words.count, names.count >= 5 else { return nil }
        key = TokenKey(
            module: ModuleIdentity(path: String(decoding: names[0], as: UTF8.self)),
            token: TokenDescription(label: names[1], manufacturer: names[2], model: names[3], serial: names[4]))
        more = Array(names[5...])
    }

    /// With its end.
    var bytes: [UInt8] {
        let (path, token) = (Array(key.module.path.utf8), key.token)
        let names = [path, token.label, token.manufacturer, token.model, token.serial] + more
        return Array((names.map { Hexadecimal.encode($0) }.joined(separator: " ") + "\n").utf8)
    }
}
