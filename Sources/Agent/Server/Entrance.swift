import AgentAPI
import NIOCore

/// Which connections are taken: decided for each by its peer alone, before anything is made for it.
struct Entrance {
    /// The class in which a connection is counted, for as long as it is open.
    enum Place: Hashable, Sendable {
        /// One of the agent's own user, or of root where the agent is the system's.
        case owner
        /// One that is kept for those two where they have no other left. It is answered once, by the routes that are kept.
        case kept
        /// One of a user whom a profile, or an endpoint on loopback, allows.
        case user(UInt32)
        /// One on a consumer's socket, by its path: all who reach it share it, under however many numbers.
        case consumer(String)
    }

    enum Verdict: Hashable, Sendable {
        case serve(Place)
        /// The peer is told this, and hung up on.
        case tell(Problem)
        /// The peer is hung up on without a word.
        case close
    }

    private let limits: ServerLimits
    private var counts: [Place: Int] = [:]
    private var ofUsers = 0
    private var told = Told()

    /// How many peers were told this second why they are not served.
    private struct Told {
        var since = NIODeadline.distantPast
        var all = 0
        var users: [UInt32: Int] = [:]
    }

    init(limits: ServerLimits) { self.limits = limits }

    /// Counts the connection in, where it is to be served, until `leave`.
    ///
    /// - Parameters:
    ///   - policy: What holds where it has connected.
    ///   - isWorker: Whether the peer is a process that this agent has started for a module.
    ///   - hasSpoken: Whether the peer has sent something already; asked only where few connections are left.
    /// - Returns: The decision, and what the audit log is to have of a refusal.
    mutating func judge(
        _ peer: Peer, policy: Policy, isWorker: Bool, hasSpoken: () -> Bool, at now: NIODeadline
    ) -> (verdict: Verdict, refusal: AuditRecord?) {
        if isWorker {
            let reason = "process \(peer.pid) is a worker of this agent: its module tries to use the agent"
            return (.close, .refusal(of: peer, policy, reason, isAttack: true))
        }
        if case .deny(let reason) = policy.admits(peer) {
            return (refusal(of: peer, policy.problem(reason), at: now), .refusal(of: peer, policy, reason))
        }
        guard let place = place(for: peer, policy, hasSpoken) else {
            return (refusal(of: peer, limits.isFull(peer.uid), at: now), nil)
        }
        counts[place, default: 0] += 1
        if place.isOfOthers { ofUsers += 1 }
        return (.serve(place), nil)
    }

    mutating func leave(_ place: Place) {
        guard let count = counts[place] else { return }
        counts[place] = count > 1 ? count - 1 : nil
        if place.isOfOthers { ofUsers -= 1 }
    }

    private func place(for peer: Peer, _ policy: Policy, _ hasSpoken: () -> Bool) -> Place? {
        if policy.isOwner(peer) {
            if counts[.owner] ?? 0 < limits.connectionsOfOwner { return .owner }
            // Those who come to say nothing do not get the last ones; see `ServerCore.add` for those who have come.
            let kept = limits.keptConnections - (counts[.kept] ?? 0)
            return kept > limits.keptConnections / 4 || kept > 0 && hasSpoken() ? .kept : nil
        }
        let socket = policy.listener.flatMap { $0.address == nil ? $0.name : nil }
        let place = socket.map { Place.consumer($0) } ?? .user(peer.uid)
        let isFree = counts[place] ?? 0 < limits.connectionsPerUser && ofUsers < limits.connectionsOfUsers
        return isFree ? place : nil
    }

    /// Telling why costs a channel: beyond some a second, peers learn nothing.
    private mutating func refusal(of peer: Peer, _ problem: Problem, at now: NIODeadline) -> Verdict {
        if now - told.since >= .seconds(1) { told = Told(since: now) }
        guard told.all < limits.toldPerSecond, told.users[peer.uid] ?? 0 < limits.toldPerUserAndSecond else {
            return .close
        }
        told.all += 1
        told.users[peer.uid, default: 0] += 1
        return .tell(problem)
    }
}

extension Entrance.Place {
    /// Whether it is one of those that all but the owner share.
    var isOfOthers: Bool {
        switch self {
        case .owner, .kept: false
        case .user, .consumer: true
        }
    }
}

extension AuditRecord {
    fileprivate static func refusal(
        of peer: Peer, _ policy: Policy, _ reason: String, isAttack: Bool = false
    ) -> AuditRecord {
        AuditRecord(
            peer: peer, listener: policy.listener?.name, route: nil, decision: .deny(reason: reason), status: 403,
            problem: .forbidden,
            isAttack: isAttack)
    }
}

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
