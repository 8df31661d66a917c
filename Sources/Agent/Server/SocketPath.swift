import Files
import Glibc

/// The place of the agent's socket, in a directory that nobody else can write to.
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
        // mkdir's mode is cut by the umask; it only matters that it is never wider than asked for.
        guard unsafe mkdir(directory, directoryMode) == 0 || errno == EEXIST else {
            throw .failed(call: "mkdir", path: directory, errno: errno)
        }
        guard let resolved = unsafe realpath(directory, nil) else {
            throw .failed(call: "realpath", path: directory, errno: errno)
        }
        defer { unsafe free(resolved) }
        let real = unsafe String(cString: resolved)
        try Self.checkChain(real)
        self.path = (real == "/" ? "" : real) + "/" + name
        try Self.checkLength(self.path)
    }

    /// What lies at the path, without following a link; nil for nothing.
    func status() throws(ListenerError) -> stat? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw .failed(call: "lstat", path: path, errno: errno) }
            return nil
        }
        return status
    }

    /// Throws unless the path is free, or holds a socket of ours.
    ///
    /// - Returns: Whether there is a socket.
    func holdsSocket() throws(ListenerError) -> Bool {
        guard let status = try status() else { return false }
        let kind: String? =
            switch status.st_mode & S_IFMT {
            case S_IFSOCK: nil
            case S_IFLNK: "a symbolic link"
            case S_IFDIR: "a directory"
            case S_IFIFO: "a FIFO"
            case S_IFREG: "a regular file"
            default: "a device"
            }
        if let kind { throw .unusable(path: path, reason: "\(kind) is in the socket's place") }
        guard !KnownIDs.users.hides(status.st_uid) else { throw .ownerHidden(path: path) }
        guard status.st_uid == geteuid() else {
            throw .unusable(path: path, reason: "the socket there belongs to uid \(status.st_uid)")
        }
        return true
    }

    private static func checkLength(_ path: String) throws(ListenerError) {
        guard path.utf8.count > UnixAddress.longestPath else { return }
        throw .unusable(
            path: path, reason: "the path has \(path.utf8.count) bytes, and a socket's has at most 107 (unix(7))")
    }

    /// Whoever can write to the directory, or rename one above it, can put a socket of their own in our place.
    private static func checkChain(_ directory: String) throws(ListenerError) {
        var current = directory
        while true {
            var status = stat()
            guard unsafe lstat(current, &status) == 0 else {
                throw .failed(call: "lstat", path: current, errno: errno)
            }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw .unusable(path: current, reason: "it is no directory")
            }
            guard !KnownIDs.users.hides(status.st_uid) else { throw .ownerHidden(path: current) }
            guard status.st_uid == 0 || status.st_uid == geteuid() else {
                throw .unusable(path: current, reason: "the directory belongs to uid \(status.st_uid)")
            }
            let isStickyOfRoot = status.st_uid == 0 && status.st_mode & S_ISVTX != 0
            guard status.st_mode & 0o022 == 0 || isStickyOfRoot else {
                throw .unusable(path: current, reason: "others can write to the directory (chmod go-w)")
            }
            if current == "/" { return }
            current = split(current).directory
        }
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let directory = path[..<slash]
        return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
    }
}
