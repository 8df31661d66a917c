import Glibc
import PKCS11URI
import TokenService

/// What may have cost tokens a try, in a file that outlives a restart of the agent and nothing else: it is in the
/// runtime directory, which is in memory. A restart loop must not spend a card's tries one by one.
///
/// A line a token that owes an answer to C_Login: module, label, manufacturer, model and serial, in hexadecimal. A line
/// a PIN that a token has refused: the same, and salt and hash.
struct RefusedPINs: Sendable {
    var path: String

    struct Content: Hashable, Sendable {
        var refused: [TokenKey: [FailedPIN]] = [:]
        /// Tokens that a PIN has been sent to, with no answer yet: it may never come.
        var unanswered: Set<TokenKey> = []
    }

    func load() -> Content {
        let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return Content() }
        defer { close(file) }
        // What another user has put there is not believed: each line costs a login some tenths of a second.
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
            status.st_mode & 0o077 == 0
        else { return Content() }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe read(file, &bytes, bytes.count)
        guard count > 0 else { return Content() }
        var found = Content()
        for line in String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false).map { bytesOfHex($0) }
            guard [5, 7].contains(fields.count), let module = fields[0], let label = fields[1],
                let manufacturer = fields[2], let model = fields[3], let serial = fields[4]
            else { continue }
            let token = TokenDescription(label: label, manufacturer: manufacturer, model: model, serial: serial)
            let key = TokenKey(module: String(decoding: module, as: UTF8.self), token: token)
            if fields.count == 5 {
                found.unanswered.insert(key)
            } else if let salt = fields[5], let hash = fields[6] {
                found.refused[key, default: []].append(FailedPIN(salt: salt, hash: hash))
            }
        }
        return found
    }

    /// Writes all of it, whole or not at all.
    ///
    /// - Returns: Whether it is on disk. If it is not, the promise holds as long as this agent lives.
    func save(_ content: Content) -> Bool {
        let lines =
            content.unanswered.map(\.fields)
            + content.refused.flatMap { key, pins in pins.map { key.fields + [$0.salt, $0.hash] } }
        guard !lines.isEmpty else { return unsafe unlink(path) == 0 || errno == ENOENT }
        let text = lines.flatMap { Array($0.map(hex).joined(separator: " ").utf8) + [UInt8(ascii: "\n")] }
        let new = "\(path).new"
        unsafe unlink(new)
        let file = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        return unsafe write(file, text, text.count) == text.count && rename(new, path) == 0
    }
}

extension TokenKey {
    fileprivate var fields: [[UInt8]] {
        [Array(module.utf8), token.label, token.manufacturer, token.model, token.serial]
    }
}

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

private func bytesOfHex(_ text: Substring) -> [UInt8]? {
    let digits = text.utf8.map { byte in Int(String(decoding: [byte], as: UTF8.self), radix: 16) }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = digits[index], let low = digits[index + 1] else { return nil }
        bytes.append(UInt8(high << 4 | low))
    }
    return bytes
}
