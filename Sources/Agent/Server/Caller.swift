/// Who is at the other end of a connection, and how it was let in.
struct Caller: Sendable {
    let peer: Peer
    /// Where it has connected.
    let acceptor: Acceptor
    /// Whether the peer is the agent's own user, or root where the agent is the system's.
    let isOwner: Bool
    /// Nil for one that is told why it is refused, and counts nowhere.
    let place: Entrance.Place?

    /// Whether this is one of the few connections that are kept for the agent's own user.
    var isKept: Bool { place == .kept }

    /// Whose share of the event loop's limits it takes.
    var share: Entrance.Place {
        if case .consumer? = place { place ?? .user(peer.uid) } else { .user(peer.uid) }
    }
}
