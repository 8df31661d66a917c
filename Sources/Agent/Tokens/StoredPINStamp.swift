import Glibc
import TokenService

/// Which file a stored PIN came from, and in which state: another state may hold another PIN.
struct StoredPINStamp: Hashable, Sendable {
    private let path: String
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    /// Nanoseconds since 1970. st_ctim, because nobody can set it back.
    private let changed: Int64

    /// - Returns: Nil where the PIN is in no file, or the file cannot be looked at: no PIN is known then.
    init?(_ source: LoginRequest.Source) {
        switch source {
        case .file(let path), .credential(let path): self.path = path
        case .typed, .protected: return nil
        }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }
}
