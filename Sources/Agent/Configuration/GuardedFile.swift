import Files
import Glibc

/// Reads files that decide who gets credentials, and so must be nobody else's: a regular file, no symbolic link, owned
/// by root or by the agent's own user, and writable by its owner only.
struct GuardedFile {
    struct Refusal: Error {
        /// What is wrong; what to do.
        let message: String
    }

    static let maximumSize = 1 << 20
    static let maximumEntries = 256

    let owner: UInt32

    /// - Returns: What the file holds; nil when there is none.
    func read(_ path: String) throws(Refusal) -> [UInt8]? {
        guard let file = try open(path, O_RDONLY | O_NONBLOCK) else { return nil }
        defer { close(file) }
        try check(file, is: S_IFREG, "a regular file")
        return try contents(of: file)
    }

    /// The names in a directory that end in `suffix`, hidden ones apart, in the order of their bytes; nil when there is
    /// no such directory.
    func names(in path: String, suffix: String) throws(Refusal) -> [String]? {
        guard let file = try open(path, O_RDONLY | O_DIRECTORY) else { return nil }
        do throws(Refusal) {
            try check(file, is: S_IFDIR, "a directory")
        } catch {
            close(file)
            throw error
        }
        guard let directory = unsafe fdopendir(file) else {
            close(file)
            throw refusal(errno)
        }
        defer { unsafe closedir(directory) }
        var names: [[UInt8]] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe Self.name(of: entry)
            guard name.first != UInt8(ascii: "."), name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) else {
                continue
            }
            guard names.count < Self.maximumEntries else {
                throw Refusal(message: "more than \(Self.maximumEntries) files; join some of them")
            }
            names.append(name)
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        unsafe withUnsafeBytes(of: entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
    }

    private func open(_ path: String, _ flags: Int32) throws(Refusal) -> Int32? {
        let file = unsafe Glibc.open(path, flags | O_NOFOLLOW | O_CLOEXEC)
        if file >= 0 { return file }
        switch errno {
        case ENOENT: return nil
        case ELOOP:
            throw Refusal(
                message:
                    "a symbolic link, which others could turn; put the file itself here (of a Kubernetes volume: by subPath)"
            )
        case ENOTDIR where flags & O_DIRECTORY != 0:
            throw Refusal(message: "not a directory, or a symbolic link to one; put the directory itself here")
        case let error: throw refusal(error)
        }
    }

    private func refusal(_ error: Int32) -> Refusal {
        Refusal(message: "cannot be read: \(unsafe String(cString: strerror(error))); check its owner and its mode")
    }

    private func check(_ file: Int32, is type: UInt32, _ name: String) throws(Refusal) {
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw refusal(errno) }
        guard status.st_mode & S_IFMT == type else { throw Refusal(message: "not \(name); put one here") }
        guard !KnownIDs.users.hides(status.st_uid) else {
            throw Refusal(message: "\(KnownIDs.hidden); \(KnownIDs.cure)")
        }
        guard status.st_uid == 0 || status.st_uid == owner else {
            throw Refusal(
                message: "owned by user \(status.st_uid); make it root's, or the agent's own (user \(owner))")
        }
        guard status.st_mode & 0o022 == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            throw Refusal(message: "others may write it (mode \(mode)); run 'chmod go-w' on it")
        }
    }

    private func contents(of file: Int32) throws(Refusal) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe Glibc.read(file, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw refusal(errno)
            }
            guard bytes.count + count <= Self.maximumSize else {
                throw Refusal(message: "more than 1 MiB; a configuration is smaller")
            }
            bytes += buffer[..<count]
        }
    }
}
