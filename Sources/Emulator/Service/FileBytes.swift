import Glibc

/// A file or a value that the emulator cannot start with.
package struct ConfigurationError: Error, CustomStringConvertible {
    let path: String
    let reason: String

    package var description: String { "\(path): \(reason)" }

    fileprivate static func lastError(_ path: String) -> Self {
        Self(path: path, reason: unsafe String(cString: strerror(errno)))
    }
}

/// Small files, read and written whole.
enum FileBytes {
    /// - Throws: The system's reason, or that the file is above 4 MiB.
    static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .lastError(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= 4 << 20 {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw .lastError(path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        throw ConfigurationError(path: path, reason: "it is larger than 4 MiB")
    }

    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(ConfigurationError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .lastError(path) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw .lastError(path) }
            rest = rest.dropFirst(count)
        }
    }
}
