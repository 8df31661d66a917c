import Glibc

/// A file of /proc, whose text the kernel makes for one read.
package enum ProcFile {
    /// - Returns: Its first bytes; nil where it cannot be read or is empty.
    package static func read(_ path: String, atMost limit: Int = 1024) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }
}
