package import AgentAPI
import CLinux
import Files
import Glibc

/// The process at the other end of a connection, as the kernel knew it at connect(2).
///
/// A child that inherits the socket acts as the process that connected. `pid` may be another's by now. It is for the
/// log, and for telling the agent's own workers: the kernel reuses their numbers only after the agent's waitpid(2).
package struct Peer: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    package var pid: Int32
    /// The supplementary groups.
    package var groups: [UInt32]
    /// Whether it has come by TCP, so that its user is all that is known of it.
    package var isOnLoopback: Bool

    package init(uid: UInt32, gid: UInt32, pid: Int32, groups: [UInt32] = [], isOnLoopback: Bool = false) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.groups = groups
        self.isOnLoopback = isOnLoopback
    }
}

extension Peer {
    /// Asks the kernel (SO_PEERCRED, SO_PEERGROUPS; unix(7)).
    ///
    /// - Parameter socket: A connected Unix stream socket, which is only read.
    /// - Throws: `forbidden` when the kernel does not say.
    package static func connected(to socket: CInt) throws(Problem) -> Peer {
        var peer = Peer(uid: KnownIDs.overflow, gid: KnownIDs.overflow, pid: 0)
        guard unsafe clinux_peer_credentials(socket, &peer.pid, &peer.uid, &peer.gid) == 0 else { throw unknown }
        // Most have a handful; NGROUPS_MAX is the kernel's limit.
        for capacity in [64, 65_536] {
            var count: Int32 = 0
            peer.groups = unsafe [UInt32](unsafeUninitializedCapacity: capacity) { groups, filled in
                count = unsafe clinux_peer_groups(socket, groups.baseAddress, capacity)
                filled = max(0, Int(count))
            }
            if count >= 0 { return peer }
            guard count == -ERANGE else { break }
        }
        throw unknown
    }

    private static var unknown: Problem { Problem(.forbidden, "the kernel does not say who is calling") }
}
