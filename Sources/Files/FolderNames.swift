import Glibc
package import SystemPackage

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
