import Files
import Glibc
import SystemPackage

/// The place of the agent's socket, in a directory that no other user can write to.
struct SocketPath {
    /// With every symbolic link in the directory's path resolved.
    let path: String

    /// Checks the place, and makes the directory when it is missing.
    ///
    /// - Parameter directoryMode: The mode of the directory if it must be made.
    init(_ path: String, directoryMode: mode_t) throws(ListenerError) {
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else {
            throw .unusable(path: path, reason: "the socket's path is not absolute")
        }
        try Self.checkLength(path)
        let (directory, name) = Self.split(path)
        guard !name.isEmpty, name != ".", name != ".." else {
            throw .unusable(path: path, reason: "the socket's path names a directory")
        }
        self.path = Self.join(try OwnFolder.resolved(directory, mode: directoryMode), name)
        try Self.checkLength(self.path)
    }

    /// The file at the path, without following a link; nil if there is none.
    func status() throws(ListenerError) -> Stat? {
        do throws(Errno) {
            return try unsafe Stat(path, followTargetSymlink: false)
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .failed(call: "lstat", path: path, errno: error)
        }
    }

    /// Throws unless the path is free, or holds a socket of ours.
    ///
    /// - Returns: Whether there is a socket.
    func holdsSocket() throws(ListenerError) -> Bool {
        guard let status = try status() else { return false }
        let kind: String? =
            switch status.type {
            case .socket: nil
            case .symbolicLink: "a symbolic link"
            case .directory: "a directory"
            case .fifo: "a FIFO"
            case .regular: "a regular file"
            default: "a device"
            }
        if let kind { throw .unusable(path: path, reason: "\(kind) is in the socket's place") }
        switch OwnerAndMode(.socket, of: [geteuid()]).breach(of: status) {
        case .hiddenOwner: throw .ownerHidden(path: path)
        case .owner(let owner): throw .unusable(path: path, reason: "the socket there belongs to uid \(owner)")
        case .type, .mode, nil: return true
        }
    }

    private static func checkLength(_ path: String) throws(ListenerError) {
        guard path.utf8.count > UnixAddress.longestPath else { return }
        throw .unusable(
            path: path, reason: "the path has \(path.utf8.count) bytes, and a socket's has at most 107 (unix(7))")
    }

    static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let directory = path[..<slash]
        return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
    }

    static func join(_ directory: String, _ name: String) -> String {
        (directory == "/" ? "" : directory) + "/" + name
    }
}
