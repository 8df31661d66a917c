import Glibc

/// A `sockaddr_un`: a path, or with a leading NUL an abstract name (unix(7)).
struct UnixAddress {
    /// The longest path in bytes: `sun_path` without the NUL at its end.
    static let longestPath = 107

    private var address = sockaddr_un()
    private let length: socklen_t

    /// Nil when the path is empty or too long.
    init?(path: String) {
        let bytes = Array(path.utf8)
        guard (1...Self.longestPath).contains(bytes.count), !bytes.dropFirst().contains(0) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        // An abstract name is as long as it is said to be; a path ends in NUL.
        let terminator = bytes.first == 0 ? 0 : 1
        length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + terminator)
    }

    /// Calls bind(2), connect(2) and their like; their result, or -errno.
    func call(_ function: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        let result = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe function($0, length) }
        }
        return result < 0 ? -errno : result
    }
}
