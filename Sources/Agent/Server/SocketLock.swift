import Glibc

/// The lock beside the socket: whoever holds it may remove a stale socket and bind. It ends with its process.
struct SocketLock: ~Copyable {
    private let path: String
    private let descriptor: CInt

    /// - Throws: `.alreadyRunning` when another process holds it.
    init(beside socket: String) throws(ListenerError) {
        let path = socket + ".lock"
        while true {
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw .failed(call: "open", path: path, errno: errno) }
            do throws(ListenerError) {
                if try Self.takeLock(descriptor, path: path, socket: socket) {
                    self.path = path
                    self.descriptor = descriptor
                    return
                }
            } catch {
                close(descriptor)
                throw error
            }
            close(descriptor)
        }
    }

    deinit {
        // While the lock is held: a process that opened this file meanwhile sees that it is gone, and takes a new one.
        unsafe unlink(path)
        close(descriptor)
    }

    /// - Returns: False when the file was removed between opening and locking it.
    private static func takeLock(_ descriptor: CInt, path: String, socket: String) throws(ListenerError) -> Bool {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .alreadyRunning(path: socket) }
            throw .failed(call: "flock", path: path, errno: errno)
        }
        var (opened, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &opened) == 0 else {
            throw .failed(call: "fstat", path: path, errno: errno)
        }
        return unsafe lstat(path, &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
    }
}
