package import AgentAPI
package import Logging
import UTCTime

/// One request's line in the audit log. No field can hold a secret.
package struct AuditRecord: Hashable, Sendable {
    package var peer: Peer
    /// The path of the consumer's socket, or the address, that it came to; nil for the agent's own socket.
    package var listener: String?
    /// Absent for a connection that was refused before it asked for anything.
    package var route: Route.Action?
    package var profile: ProfileName?
    package var decision: Policy.Decision
    /// The HTTP status of the answer.
    package var status: Int
    /// The problem that the answer told of.
    package var problem: Problem.Code?
    /// The credentials that were handed out.
    package var issued: Issued?
    /// How many requests or connections like this one have no line of their own.
    package var others: Int
    /// Whether only a program that means harm, or is broken, does this.
    package var isAttack: Bool

    package struct Issued: Hashable, Sendable {
        /// Not secret: CloudTrail has it (IAM User Guide, "Managing access keys").
        package var accessKeyID: String
        /// Seconds since 1970.
        package var expiration: Int64
        /// The profile that they were obtained for, then those whose sessions they were made of.
        package var profiles: [ProfileName]

        package init(accessKeyID: String, expiration: Int64, profiles: [ProfileName] = []) {
            self.accessKeyID = accessKeyID
            self.expiration = expiration
            self.profiles = profiles
        }
    }

    package init(
        peer: Peer, listener: String? = nil, route: Route.Action?, profile: ProfileName? = nil,
        decision: Policy.Decision, status: Int, problem: Problem.Code? = nil,
        issued: Issued? = nil, others: Int = 0, isAttack: Bool = false
    ) {
        self.peer = peer
        self.listener = listener
        self.route = route
        self.profile = profile
        self.decision = decision
        self.status = status
        self.problem = problem
        self.issued = issued
        self.others = others
        self.isAttack = isAttack
    }
}

extension AuditRecord {
    package var level: Logger.Level {
        if isAttack { return .warning }
        return if case .deny = decision { .notice } else { .info }
    }
}

extension AuditRecord: CustomStringConvertible {
    /// One line of fields; the log adds the time.
    package var description: String {
        var fields: [(String, String)] = isAttack ? [("attack", "yes")] : []
        switch decision {
        case .allow(let reason): fields += [("decision", "allow"), ("reason", reason)]
        case .deny(let reason): fields += [("decision", "deny"), ("reason", reason)]
        }
        fields.append(("uid", "\(peer.uid)"))
        if !peer.isOnLoopback { fields += [("gid", "\(peer.gid)"), ("pid", "\(peer.pid)")] }
        if let listener { fields.append(("listener", listener)) }
        if let route { fields.append(("route", "\(route)")) }
        if route?.permission == .management { fields.append(("permission", Route.Permission.management.rawValue)) }
        if let profile { fields.append(("profile", "\(profile)")) }
        fields.append(("status", "\(status)"))
        if let problem { fields.append(("problem", problem.rawValue)) }
        if others > 0 { fields.append(("others", "\(others)")) }
        if let issued {
            if let used = issued.profiles.first, used != profile { fields.append(("fallback", "\(used)")) }
            let bases = issued.profiles.dropFirst().map(\.description).joined(separator: ",")
            if !bases.isEmpty { fields.append(("source-profiles", bases)) }
            fields.append(("access-key-id", issued.accessKeyID))
            fields.append(("expiration", "\(UTCTime(secondsSince1970: issued.expiration))"))
        }
        return fields.reduce("audit") { "\($0) \(LogField(key: $1.0, value: $1.1))" }
    }
}
