import CLinux
import Files
import Glibc
import SystemPackage

/// Asks the kernel which user has made the other end of a TCP connection on loopback (sock_diag(7)).
///
/// As with SO_PEERCRED, a process that was handed the connection, or has inherited it, acts as the user who made it. Unlike
/// there, neither process nor groups are known. One thread at a time may use it.
final class LoopbackPeers: Sendable {
    private let diagnosis: CInt

    /// - Parameter listening: A socket that the kernel must find, or it could find no other.
    /// - Throws: `EAFNOSUPPORT` where a unit's `RestrictAddressFamilies=` lacks AF_NETLINK.
    init(listening: CInt) throws(Errno) {
        let descriptor = clinux_open_sock_diag()
        guard descriptor >= 0 else { throw Errno(rawValue: -descriptor) }
        let error = clinux_probe_sock_diag(descriptor, listening)
        guard error == 0 else {
            close(descriptor)
            throw Errno(rawValue: error)
        }
        diagnosis = descriptor
    }

    deinit { close(diagnosis) }

    /// The peer; one without a known user where the kernel does not find it, which no `allow` table lists.
    func peer(of connection: CInt) -> Peer {
        var end = clinux_tcp_end()
        let isFound = unsafe clinux_tcp_peer(diagnosis, connection, &end) == 0
        let uid = isFound && Self.isHeld(state: end.state, inode: end.inode) ? end.uid : KnownIDs.overflow
        return Peer(uid: uid, gid: KnownIDs.overflow, pid: 0, isOnLoopback: true)
    }

    /// Whether a process has this end, so that its uid is that user's: the kernel says 0, which is root's, for one that was
    /// closed and still sends. A client may end its own direction and read on (FIN_WAIT1, FIN_WAIT2).
    static func isHeld(state: UInt8, inode: UInt32) -> Bool {
        let states = [TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2].map { UInt8($0) }
        return inode != 0 && states.contains(state)
    }
}
