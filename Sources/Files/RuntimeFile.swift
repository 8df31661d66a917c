import Glibc

/// A small file of the agent's own beside its socket. It outlives the agent, and ends with the runtime directory, which is
/// in memory.
package struct RuntimeFile: Sendable {
    package let path: String

    /// The most that is read, and so the most that is written, in bytes.
    package static let most = 1 << 20

    package init(path: String) { self.path = path }

    package enum Content: Equatable {
        case none
        /// Something stands there that this user has not written, so it is not believed.
        case foreign
        case unreadable
        case bytes([UInt8])
    }

    package func read() -> Content {
        let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            return switch errno {
            case ENOENT, ENOTDIR: .none
            case ELOOP, EACCES: .foreign
            default: .unreadable
            }
        }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { return .unreadable }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            return .foreign
        }
        guard status.st_size <= Self.most else { return .unreadable }
        var bytes = [UInt8](repeating: 0, count: Self.most)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        return count < 0 ? .unreadable : .bytes(Array(bytes.prefix(count)))
    }

    /// Writes all of it, whole or not at all.
    ///
    /// - Returns: Zero, or errno.
    package func write(_ bytes: [UInt8]) -> Int32 {
        guard bytes.count <= Self.most else { return EFBIG }
        let new = "\(path).new"
        unsafe unlink(new)
        let file = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return errno }
        defer { close(file) }
        let count = unsafe Glibc.write(file, bytes, bytes.count)
        guard count == bytes.count else { return count < 0 ? errno : ENOSPC }
        return unsafe rename(new, path) == 0 ? 0 : errno
    }

    /// - Returns: Zero, or errno.
    package func remove() -> Int32 { unsafe unlink(path) == 0 || errno == ENOENT ? 0 : errno }
}
