import Files
import SystemPackage
import TokenService

/// The locks that people have set, in a file beside the socket: a lock ends with `unlock`, and not with the agent.
///
/// The first line says `all` or `some`. A line follows for each token that is locked, or, under `all`, is not.
struct LockFile: Sendable {
    let file: RuntimeFile
    /// What the file holds.
    private var written: LockSet

    /// - Parameter path: Where the file is, or will be.
    init(path: String) {
        file = RuntimeFile(path: path)
        written = Self.locks(in: file.read())
    }

    /// What was locked when the agent began.
    var locks: LockSet { written }

    /// A file of ours that cannot be understood locks everything: what was unlocked by mistake cannot be locked again.
    private static func locks(in content: RuntimeFile.Content) -> LockSet {
        switch content {
        case .none, .foreign: return LockSet()
        case .unreadable: return LockSet(isAllLocked: true)
        case .bytes(let bytes):
            let lines = bytes.split(separator: UInt8(ascii: "\n"))
            let first = lines.first.map { String(decoding: $0, as: UTF8.self) }
            let keys = lines.dropFirst().compactMap { TokenLine($0) }.filter(\.more.isEmpty).map(\.key)
            guard first == "all" || first == "some", bytes.last == UInt8(ascii: "\n"), keys.count == lines.count - 1
            else {
                return LockSet(isAllLocked: true)
            }
            return LockSet(isAllLocked: first == "all", exceptions: Set(keys))
        }
    }

    /// Writes them where they differ from what is written.
    ///
    /// - Throws: Why they end with this agent.
    mutating func write(_ locks: LockSet) throws(Errno) {
        guard locks != written else { return }
        if locks == LockSet() {
            try file.remove()
        } else {
            let first = Array((locks.isAllLocked ? "all\n" : "some\n").utf8)
            try file.write(locks.exceptions.reduce(first) { $0 + TokenLine($1).bytes })
        }
        written = locks
    }
}
