package import AgentAPI
import Files

/// Decides which peers may do which actions: a pure function of the peer, the permission and the profile.
package struct Policy: Hashable, Sendable {
    package enum Decision: Hashable, Sendable {
        case allow(reason: String)
        case deny(reason: String)
    }

    /// The user that the agent runs as.
    package let agentUID: UInt32
    package let scope: AgentScope
    private let profiles: [ProfileName: AllowList]
    private let admitted: AllowList
    /// The consumer's listener where this holds; nil: the agent's own socket.
    private(set) var listener: ListenerConfiguration?

    /// - Parameter profiles: Every profile with its `allow` table, which is empty where it has none.
    package init(agentUID: UInt32, scope: AgentScope, profiles: [ProfileName: AllowList]) {
        self.agentUID = agentUID
        self.scope = scope
        self.profiles = profiles
        admitted = AllowList(
            users: profiles.values.reduce(into: []) { $0.formUnion($1.users) },
            groups: profiles.values.reduce(into: []) { $0.formUnion($1.groups) })
    }

    /// What holds for a consumer.
    func serving(_ listener: ListenerConfiguration) -> Policy {
        var policy = self
        policy.listener = listener
        return policy
    }

    package func knows(_ profile: ProfileName) -> Bool {
        profiles[profile] != nil && listener?.profiles.contains(profile) != false
    }

    /// Whether the peer is the agent's own user, or root where the agent is the system's.
    package func isOwner(_ peer: Peer) -> Bool {
        if case .allow = decide(peer, .owner, profile: nil) { true } else { false }
    }

    /// Whether there is anything at all that the peer may ask for; if not, none of its bytes are read.
    package func admits(_ peer: Peer) -> Decision {
        if let listener {
            if listener.allow == nil, listener.address == nil { return .allow(reason: "it reaches the socket") }
            guard peer.uid != KnownIDs.overflow else { return Self.hidden(peer) }
            return listener.allow?.decision(for: peer) ?? .deny(reason: "this socket does not allow uid \(peer.uid)")
        }
        if peer.uid == agentUID { return .allow(reason: "the agent's own user") }
        if peer.uid == KnownIDs.overflow { return Self.hidden(peer) }
        if scope == .system, peer.uid == 0 { return .allow(reason: "root") }
        return admitted.decision(for: peer) ?? .deny(reason: "no profile allows uid \(peer.uid)")
    }

    private static func hidden(_ peer: Peer) -> Decision {
        .deny(
            reason: peer.isOnLoopback
                ? "the kernel does not say whose connection this is" : "uid \(peer.uid) stands for users unknown here")
    }

    /// Whether a person may be made to act for the peer: the agent's own user, and others where the profile says so.
    package func allowsGestures(for peer: Peer, profile: ProfileName?) -> Bool {
        isPerson(peer) || profile.flatMap { profiles[$0] }?.gestures == true
    }

    /// Whether the peer is the agent's own user, who can be asked for a PIN. What comes from a consumer's socket is not
    /// that person, whatever its uid is.
    func isPerson(_ peer: Peer) -> Bool { listener == nil && peer.uid == agentUID }

    /// Whether the peer may make this request. A consumer gets credentials alone: it forces no refresh either.
    func decide(_ peer: Peer, _ route: Route, profile: ProfileName?) -> Decision {
        guard listener == nil || route.action == .credentials else { return Self.credentialsAlone }
        return decide(peer, route.permission, profile: profile)
    }

    private static let credentialsAlone = Decision.deny(reason: "this socket serves credentials alone")

    /// Whether the peer may do this.
    ///
    /// The agent's own user may do everything: the profiles are its own. Root runs the system's agent, and uses a
    /// profile only when listed.
    ///
    /// - Parameter profile: The profile in the path; needed for `.useProfile`. An unknown one is denied in the same
    ///   words as a known one, so that names cannot be guessed.
    package func decide(_ peer: Peer, _ permission: Route.Permission, profile: ProfileName?) -> Decision {
        if listener != nil {
            return permission == .useProfile ? admits(peer) : Self.credentialsAlone
        }
        if peer.uid == agentUID { return .allow(reason: "the agent's own user") }
        if peer.uid == KnownIDs.overflow { return Self.hidden(peer) }
        switch permission {
        case .owner, .management:
            if scope == .system, peer.uid == 0 { return .allow(reason: "root") }
            return .deny(reason: "only the agent's own user\(scope == .system ? " and root" : "") may ask this")
        case .useProfile:
            let allowed = profile.flatMap { profiles[$0] }?.decision(for: peer)
            return allowed ?? .deny(reason: "this profile does not allow uid \(peer.uid)")
        }
    }
}

extension Policy {
    /// What a peer is told that this policy denies something.
    func problem(_ reason: String) -> Problem {
        Problem(
            .forbidden, "\(reason, .reason)",
            hint: listener == nil
                ? "see 'allow' in the profile's configuration" : "see [[listener]] in the agent's configuration")
    }

    /// Why an agent that runs as this user cannot tell it from others; nil where it can.
    package static func ambiguity(of agentUID: UInt32) -> String? { ambiguity(of: agentUID, among: .users) }

    static func ambiguity(of agentUID: UInt32, among users: KnownIDs) -> String? {
        guard agentUID == KnownIDs.overflow, !users.areAll else { return nil }
        return "it runs as uid \(agentUID), which stands for all users that its user namespace has no number for"
    }
}

extension AllowList {
    /// `.allow` with the entry that says so; nil when none does.
    fileprivate func decision(for peer: Peer) -> Policy.Decision? {
        if users.contains(peer.uid) { return .allow(reason: "user \(peer.uid) is listed") }
        // An unmapped group looks like any other unmapped group.
        let group = ([peer.gid] + peer.groups).first { $0 != KnownIDs.overflow && groups.contains($0) }
        return group.map { .allow(reason: "group \($0) is listed") }
    }
}
