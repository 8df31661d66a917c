import CLinux
import Glibc
import Synchronization
import SystemPackage

/// A listening TCP socket that only programs of this machine reach, and what it needs to know them.
final class LoopbackListener: Sendable {
    let tokens: EndpointTokens
    let peers: LoopbackPeers
    private let descriptor: Mutex<CInt?>

    /// - Parameter boot: Boot time in milliseconds.
    init(_ address: LoopbackAddress, tokenFile: TokenFileSetting, at boot: Int64) throws(ListenerError) {
        let descriptor = try Self.listen(address)
        do throws(ListenerError) {
            peers = try Self.peers(descriptor, address)
            tokens = try EndpointTokens(tokenFile, at: boot)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit {
        if let unclaimed = claim() { close(unclaimed) }
        tokens.removeFile()
    }

    func claim() -> CInt? { descriptor.withLock { $0.take() } }

    private static let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)

    private static func listen(_ address: LoopbackAddress) throws(ListenerError) -> CInt {
        let descriptor = socket(
            address.isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | flags, Int32(IPPROTO_TCP))
        guard descriptor >= 0 else { throw .failed(call: "socket", path: "\(address)", errno: .current) }
        // An agent that is started anew does not wait for the ends of connections (TIME_WAIT). Another program cannot
        // listen there beside this one with it.
        set(SO_REUSEADDR, SOL_SOCKET, of: descriptor)
        set(TCP_NODELAY, Int32(IPPROTO_TCP), of: descriptor)  // accepted connections inherit it
        if address.isIPv6 { set(IPV6_V6ONLY, Int32(IPPROTO_IPV6), of: descriptor) }
        let bound = unsafe address.call { unsafe bind(descriptor, $0, $1) }
        let result = bound == 0 && Glibc.listen(descriptor, SocketListener.backlog) != 0 ? -errno : bound
        guard result != 0 else { return descriptor }
        close(descriptor)
        throw switch Errno(rawValue: -result) {
        case .addressInUse: .portTaken(address: "\(address)")
        case .permissionDenied:
            .unusable(path: "\(address)", reason: "the agent may not listen on this port; take one from 1024 on")
        case .addressNotAvailable: .unusable(path: "\(address)", reason: "this machine does not have the address")
        case let error: .failed(call: "bind", path: "\(address)", errno: error)
        }
    }

    /// The options exist on every Linux; without one of them the socket still does what it must.
    private static func set(_ option: Int32, _ level: Int32, of descriptor: CInt) {
        var isOn: CInt = 1
        _ = unsafe setsockopt(descriptor, level, option, &isOn, socklen_t(MemoryLayout<CInt>.size))
    }

    private static func peers(_ descriptor: CInt, _ address: LoopbackAddress) throws(ListenerError) -> LoopbackPeers {
        do throws(Errno) {
            return try LoopbackPeers(listening: descriptor)
        } catch {
            let advice =
                error == .addressFamilyNotSupported ? "; its unit's RestrictAddressFamilies= needs AF_NETLINK" : ""
            throw .unusable(
                path: "\(address)",
                reason: "the kernel does not tell whose connections are (sock_diag: \(error)\(advice))")
        }
    }
}
