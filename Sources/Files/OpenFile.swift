import Glibc
package import SystemPackage

/// An open file. It has one owner, closes with it, and no program inherits it.
package struct OpenFile: ~Copyable {
    private let descriptor: FileDescriptor

    /// - Parameter permissions: Those of a file that is made, cut by the umask.
    package init(
        _ path: String, _ access: FileDescriptor.AccessMode = .readOnly, options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil
    ) throws(Errno) {
        descriptor = try systemCall {
            try unsafe FileDescriptor.open(
                path, access, options: options.union(.closeOnExec), permissions: permissions)
        }
    }

    deinit { try? descriptor.close() }  // an error has no receiver here

    /// For the calls that swift-system does not have. It stays this file's.
    package var number: CInt { descriptor.rawValue }

    package func status() throws(Errno) -> Stat { try descriptor.stat() }

    /// - Returns: How many bytes it has put there; 0 at the end.
    package func read(into room: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try systemCall { try unsafe descriptor.read(into: room) }
    }

    /// The bytes from here to the end.
    ///
    /// - Throws: `.fileTooLarge` where there are more than `limit`.
    package func contents(atMost limit: Int) throws(Errno) -> [UInt8] {
        let bytes = try beginning(limit + 1)
        guard bytes.count <= limit else { throw .fileTooLarge }
        return bytes
    }

    /// The first bytes from here, and all where there are no more than `limit`.
    package func beginning(_ limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: min(limit, 16_384))  // once: /proc gives 4 KiB at a time
        while bytes.count < limit {
            let room = min(limit - bytes.count, part.count)
            let count = try systemCall {
                try unsafe part.withUnsafeMutableBytes {
                    try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<room]))
                }
            }
            guard count > 0 else { break }
            bytes += part.prefix(count)
        }
        return bytes
    }

    /// Writes all of them.
    package func write(_ bytes: [UInt8]) throws(Errno) { _ = try systemCall { try descriptor.writeAll(bytes) } }
}

extension OpenFile {
    /// What a file that is followed through links holds.
    ///
    /// - Throws: `.fileTooLarge` where it is more than `limit` bytes. A FIFO is not waited for: it is empty.
    package static func contents(of path: String, atMost limit: Int) throws(Errno) -> [UInt8] {
        try OpenFile(path, options: .nonBlocking).contents(atMost: limit)
    }

    /// Its first bytes, where no reason is told, as of files of /proc; nil where it cannot be read or is empty.
    package static func beginning(of path: String, _ limit: Int) -> [UInt8]? {
        guard let bytes = try? OpenFile(path, options: .nonBlocking).beginning(limit) else { return nil }
        return bytes.isEmpty ? nil : bytes
    }
}

extension OpenFile {
    /// Gives the names in this folder to `take`, in no order, for as long as it wants more (readdir(3), which
    /// swift-system does not have).
    package consuming func names(_ take: ([UInt8]) -> Bool) throws(Errno) {
        // It closes the descriptor with itself, so it gets one of its own.
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw .current }
        guard let folder = unsafe fdopendir(copy) else {
            let error = Errno.current
            close(copy)
            throw error
        }
        defer { unsafe closedir(folder) }
        while let entry = unsafe readdir(folder), take(unsafe Self.name(of: entry)) {}
    }

    /// The name is as long as the entry, and not as the field is declared.
    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        let start = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let field = unsafe UnsafeRawBufferPointer(start: entry, count: Int(entry.pointee.d_reclen)).dropFirst(start)
        return unsafe Array(field.prefix { $0 != 0 })
    }
}

/// swift-system throws nothing but `Errno`, and says so for its newer calls alone.
func systemCall<Value>(_ call: () throws -> Value) throws(Errno) -> Value {
    do {
        return try call()
    } catch let error as Errno {
        throw error
    } catch {
        throw .ioError
    }
}
