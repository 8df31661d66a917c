import Files
import Glibc
import SystemPackage

/// The lock beside the socket: its holder may remove a stale socket and bind. It ends with its process.
struct SocketLock: ~Copyable {
    private let path: String
    private let file: OpenFile

    /// - Throws: `.alreadyRunning` when another process holds it.
    init(beside socket: String) throws(ListenerError) {
        let path = socket + ".lock"
        while true {
            let file: OpenFile
            do throws(Errno) {
                file = try OpenFile(
                    path, .readWrite, options: [.create, .noFollow], permissions: .ownerReadWrite)
            } catch {
                throw .failed(call: "open", path: path, errno: error)
            }
            if try Self.takeLock(file, path: path, socket: socket) {
                self.path = path
                self.file = file
                return
            }
        }
    }

    deinit {
        // While the lock is held: a process that opened this file meanwhile sees that it is gone, and takes a new one.
        try? FileName.remove(path)  // the lock ends with the file, whatever its name does
    }

    /// - Returns: False when the file was removed between opening and locking it.
    private static func takeLock(
        _ file: borrowing OpenFile, path: String, socket: String
    ) throws(ListenerError) -> Bool {
        guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .alreadyRunning(path: socket) }
            throw .failed(call: "flock", path: path, errno: .current)
        }
        do throws(Errno) {
            let opened = try file.status()
            guard let named = try? unsafe Stat(path, followTargetSymlink: false) else { return false }
            return opened.deviceID == named.deviceID && opened.inode == named.inode
        } catch {
            throw .failed(call: "fstat", path: path, errno: error)
        }
    }
}
