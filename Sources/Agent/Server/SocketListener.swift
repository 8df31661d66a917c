import CLinux
import Files
import Glibc
import Synchronization
import SystemPackage

/// A listening socket, and its name in the file system when the name is ours to remove.
package final class SocketListener: Sendable {
    /// Nil for a socket that was passed in.
    package let path: String?
    /// Its name in the file system, even if another program has made it.
    package let address: String
    private let descriptor: Mutex<CInt?>
    private let name: Mutex<BoundName?>

    /// The socket's file, known by its inode, and the lock that keeps a twin away.
    private struct BoundName: ~Copyable {
        let path: SocketPath
        let device: DeviceID
        let inode: Inode
        let lock: SocketLock
    }

    /// Makes the socket: right mode from the first instant, no twin removed, nothing followed.
    ///
    /// - Parameter path: Absolute, at most 107 bytes. Its directory is made if it alone is missing.
    package convenience init(path: String, scope: AgentScope) throws(ListenerError) {
        try self.init(path: path, mode: scope == .system ? 0o666 : 0o600, group: nil)
    }

    /// Makes a consumer's socket, in the same way.
    convenience init(_ file: SocketFile) throws(ListenerError) {
        try self.init(path: file.path, mode: file.mode, group: file.group)
    }

    private init(path: String, mode: mode_t, group: gid_t?) throws(ListenerError) {
        let place = try SocketPath(path, directoryMode: mode & 0o077 == 0 ? 0o700 : 0o755)
        // A fault of the place is reported before a lock is left beside it.
        _ = try place.holdsSocket()
        let lock = try SocketLock(beside: place.path)
        if try place.holdsSocket() { try Self.removeStale(place) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Self.flags, 0)
        guard descriptor >= 0 else { throw .failed(call: "socket", path: path, errno: .current) }
        do throws(ListenerError) {
            let status = try Self.bind(descriptor, to: place, mode: mode, group: group)
            name = Mutex(BoundName(path: place, device: status.deviceID, inode: status.inode, lock: lock))
        } catch {
            close(descriptor)
            throw error
        }
        self.path = place.path
        address = place.path
        self.descriptor = Mutex(descriptor)
    }

    /// Takes over a socket that was passed in.
    init(inherited descriptor: CInt, address: String) {
        path = nil
        self.address = address
        self.descriptor = Mutex(descriptor)
        name = Mutex(nil)
    }

    deinit {
        if let unclaimed = claim() { close(unclaimed) }
        removeName()
    }

    /// The descriptor, once: the caller closes it.
    package func claim() -> CInt? { descriptor.withLock { $0.take() } }

    /// Removes the socket's file if it is still ours; a socket that was passed in has none.
    package func removeName() {
        name.withLock { name in
            guard let bound = name.take() else { return }
            // A file that cannot be looked at is not removed either.
            guard let status = try? bound.path.status(), status.deviceID == bound.device, status.inode == bound.inode
            else { return }
            try? FileName.remove(bound.path.path)  // a name that stays is taken for stale by the next agent
        }
    }

    private static let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)

    /// The length of the queue of callers that are not accepted yet; the kernel cuts it to net.core.somaxconn.
    static let backlog: CInt = 4096

    private static func bind(
        _ descriptor: CInt, to place: SocketPath, mode: mode_t, group: gid_t?
    ) throws(ListenerError) -> Stat {
        guard let address = UnixAddress(path: place.path) else {
            throw .unusable(path: place.path, reason: "it cannot be a socket's path")
        }
        // The name gets the socket's own mode, cut by the umask: it is never wider than this (Linux, unix(7)).
        guard fchmod(descriptor, mode) == 0 else { throw .failed(call: "fchmod", path: place.path, errno: .current) }
        let bound = unsafe address.call { unsafe Glibc.bind(descriptor, $0, $1) }
        guard bound == 0 else { throw .failed(call: "bind", path: place.path, errno: Errno(rawValue: -bound)) }
        do throws(ListenerError) {
            return try open(descriptor, at: place, mode: mode, group: group)
        } catch {
            try? FileName.remove(place.path)  // the error is what matters, and the next agent takes the file for stale
            throw error
        }
    }

    /// Gives the socket's file to its group, and listens.
    private static func open(
        _ descriptor: CInt, at place: SocketPath, mode: mode_t, group: gid_t?
    ) throws(ListenerError) -> Stat {
        guard let status = try place.status() else {
            throw .unusable(path: place.path, reason: "the socket was removed as it was made")
        }
        // Until it listens, every connect(2) is refused.
        if let group, unsafe lchown(place.path, .max, group) != 0 {
            guard errno == EPERM else { throw .failed(call: "lchown", path: place.path, errno: .current) }
            throw .unusable(path: place.path, reason: "the agent is no member of group \(group)")
        }
        if status.permissions.rawValue & 0o777 != mode, unsafe chmod(place.path, mode) != 0 {
            throw .failed(call: "chmod", path: place.path, errno: .current)
        }
        guard listen(descriptor, backlog) == 0 else {
            throw .failed(call: "listen", path: place.path, errno: .current)
        }
        return status
    }

    /// Removes a socket that no process listens on.
    private static func removeStale(_ place: SocketPath) throws(ListenerError) {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard probe >= 0 else { throw .failed(call: "socket", path: place.path, errno: .current) }
        defer { close(probe) }
        switch unsafe UnixAddress(path: place.path)?.call({ unsafe connect(probe, $0, $1) }) {
        case 0, -EAGAIN: throw .alreadyRunning(path: place.path)  // EAGAIN: its queue is full
        case -ECONNREFUSED:
            do throws(Errno) {
                try FileName.remove(place.path)
            } catch {
                throw .failed(call: "unlink", path: place.path, errno: error)
            }
        case -ENOENT: break
        case let error: throw .failed(call: "connect", path: place.path, errno: Errno(rawValue: -(error ?? -EINVAL)))
        }
    }
}
