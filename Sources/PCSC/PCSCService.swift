import Glibc
package import TokenService

package enum PCSCService {
    /// Where pcscd listens: what libpcsclite uses, by the variable that it reads and the path that it was built with.
    package static var socketPath: String {
        unsafe getenv("PCSCLITE_CSOCK_NAME").map { unsafe String(cString: $0) } ?? "/run/pcscd/pcscd.comm"
    }

    /// Looks why there is no context. The library's own codes are one and the same for most causes.
    package static func probe(_ path: String = socketPath) -> ServiceFailure {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .refused }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(path.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return .notRunning }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, length) }
        }
        guard result != 0 else { return .refused }  // it will be: so it is where polkit says no (IsClientAuthorized)
        switch errno {
        case ENOENT, ENOTDIR: return .notRunning
        case EACCES, EPERM: return .forbidden
        default: return .stopped
        }
    }
}
