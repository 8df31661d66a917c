import Glibc

/// Why pcscd cannot be used. The library's own codes are one and the same for most of these.
package enum PCSCTrouble: Hashable, Sendable {
    /// Its socket does not exist.
    case notRunning
    /// Its socket exists, and nobody listens there.
    case stopped
    /// The socket's mode keeps this user out.
    case forbidden
    /// It takes the connection and ends it: so it does where polkit says no (`IsClientAuthorized` in pcsc-lite).
    case refused
}

package enum PCSCService {
    /// Where pcscd listens: what libpcsclite uses, by the variable that it reads and the path that it was built with.
    package static var socketPath: String {
        unsafe getenv("PCSCLITE_CSOCK_NAME").map { unsafe String(cString: $0) } ?? "/run/pcscd/pcscd.comm"
    }

    /// Looks why there is no context.
    package static func probe() -> PCSCTrouble {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .refused }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(socketPath.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return .notRunning }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, length) }
        }
        guard result != 0 else { return .refused }
        switch errno {
        case ENOENT, ENOTDIR: return .notRunning
        case EACCES, EPERM: return .forbidden
        default: return .stopped
        }
    }
}
