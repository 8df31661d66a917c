import AWSNames
import STS

/// The profiles as they are read, until all are known and each can be completed by the others.
struct ProfileBook {
    /// The longest chain, root included: each hop is a call that a caller waits for.
    private static let longestChain = 8
    /// The most ways to one profile's session, over its fallbacks and those of its bases: a caller may wait for each.
    private static let mostWays = 16

    private var readings: [ProfileName: ProfileReading] = [:]

    mutating func add(_ reading: ProfileReading, as name: ProfileName) { readings[name] = reading }

    /// All profiles, with a fault for each that does not agree with the others.
    ///
    /// - Parameter isKnown: Whether a profile of this name was read, even if there is something wrong with it.
    func completed(isKnown: (ProfileName) -> Bool) -> [ProfileName: Profile] {
        var profiles: [ProfileName: Profile] = [:]
        for (name, reading) in readings.sorted(by: { $0.key < $1.key }) {
            checkNames(of: reading, isKnown)
            guard !isInLoop(name, reading) else { continue }
            checkDepth(of: name, reading)
            switch reading.source {
            case .whole(let source): profiles[name] = reading.profile(source)
            case .assumeRole(let draft):
                guard let root = root(of: name),
                    let role = draft.resolved(name, root.place, of: user(draft.base))
                else { continue }
                profiles[name] = reading.profile(.assumeRole(role))
            }
        }
        for (name, profile) in profiles.sorted(by: { $0.key < $1.key }) { checkRoles(of: name, profile, in: profiles) }
        return profiles
    }

    /// The access key of the IAM user whose own the profile's sessions are; nil where they are a role's.
    private func user(_ name: ProfileName) -> TokenAccessKey? {
        if case .whole(.accessKey(let key))? = readings[name]?.source { key } else { nil }
    }

    private func checkNames(of reading: ProfileReading, _ isKnown: (ProfileName) -> Bool) {
        if case .assumeRole(let draft) = reading.source, !isKnown(draft.base) {
            draft.faultInBase("source-profile \(unknown(draft.base))")
        }
        for name in reading.fallbacks where !isKnown(name) { reading.faultInFallback("fallback \(unknown(name))") }
    }

    private func unknown(_ name: ProfileName) -> String {
        let near = nearestName(to: "\(name)", among: readings.keys.map(\.description)).map { "did you mean \($0)?" }
        return "names \(name), and there is no such profile; \(near ?? "add it, or correct the name")"
    }

    /// Whether a way over bases and fallbacks leads back to the profile. The fault is told at the first one of the loop.
    private func isInLoop(_ name: ProfileName, _ reading: ProfileReading) -> Bool {
        guard let loop = way(from: name, to: name) else { return false }
        guard loop.min() == name else { return true }
        let path = loop.map(\.description).joined(separator: " → ")
        let message = "leads back to where it began: \(path); let one of them name another"
        if case .assumeRole(let draft) = reading.source, loop[1] == draft.base {
            draft.faultInBase("source-profile \(message)")
        } else {
            reading.faultInFallback("fallback \(message)")
        }
        return true
    }

    /// The profiles on a way from one to the other, both included; nil where there is none.
    private func way(from start: ProfileName, to end: ProfileName) -> [ProfileName]? {
        var cameFrom: [ProfileName: ProfileName] = [:]
        var open = [start][...]
        while let current = open.popFirst() {
            for next in readings[current]?.next ?? [] {
                guard next != end else {
                    var way = [current, end]
                    while way[0] != start, let earlier = cameFrom[way[0]] { way.insert(earlier, at: 0) }
                    return way
                }
                guard cameFrom[next] == nil else { continue }
                cameFrom[next] = current
                open.append(next)
            }
        }
        return nil
    }

    /// The source at the end of the chain; nil, with a fault if the chain is too long, where there is none.
    private func root(of name: ProfileName) -> Source? {
        var hops: Set<ProfileName> = []
        var next = name
        while let reading = readings[next], case .assumeRole(let draft) = reading.source {
            guard hops.insert(next).inserted else { return nil }  // a loop, which is told of where it is
            next = draft.base
            guard hops.count < Self.longestChain else {
                if case .assumeRole(let first)? = readings[name]?.source {
                    first.faultInBase(
                        "source-profile leads over more than \(Self.longestChain) profiles, and each is a call that callers "
                            + "wait for; name one that is nearer to the token")
                }
                return nil
            }
        }
        guard case .whole(let source)? = readings[next]?.source else { return nil }
        return source
    }

    /// A fallback stands in with its own session: with a fallback's fallback, a third profile's would be handed out, whose
    /// role no check here has compared.
    private func checkDepth(of name: ProfileName, _ reading: ProfileReading) {
        if let nested = reading.fallbacks.first(where: { readings[$0]?.fallbacks.isEmpty == false }) {
            reading.faultInFallback(
                "fallback \(nested) has a fallback of its own; name one that has none, and give \(name) those as well")
        } else if ways(to: name) > Self.mostWays, !reading.fallbacks.isEmpty {
            reading.faultInFallback(
                "fallback makes more than \(Self.mostWays) ways to a session, with the fallbacks of bases, and callers may "
                    + "wait for each; name fewer")
        }
    }

    /// How many profiles may be asked, one after the other, for one session; more than the most where there is a loop.
    private func ways(to name: ProfileName, hops: Int = 0) -> Int {
        guard hops <= 2 * Self.longestChain else { return Self.mostWays + 1 }
        guard let reading = readings[name] else { return 0 }
        var ways = 1
        if case .assumeRole(let draft) = reading.source { ways = self.ways(to: draft.base, hops: hops + 1) }
        for fallback in reading.fallbacks where ways <= Self.mostWays {
            ways += self.ways(to: fallback, hops: hops + 1)
        }
        return ways
    }

    /// A session of another role may do more, or less, as may one without the same policy or tags: that has to be wanted.
    private func checkRoles(of name: ProfileName, _ profile: Profile, in profiles: [ProfileName: Profile]) {
        guard let reading = readings[name], !reading.allowsOtherRole else { return }
        for fallback in reading.fallbacks {
            guard let other = profiles[fallback]?.source else { continue }
            guard profile.source.roleARN == nil || other.roleARN != profile.source.roleARN else {
                if other.bounds != profile.source.bounds {
                    reading.faultInFallback(
                        "fallback \(fallback) has another policy, policy-arns, tags or source-identity than \(name); give "
                            + "both the same, or write fallback-other-role = true")
                }
                continue
            }
            let role = other.roleARN.map { "role \($0)" } ?? other.unknownRole
            let own = profile.source.roleARN.map { "\(name) has \($0)" } ?? "that of \(name) is not known here either"
            reading.faultInFallback(
                "fallback \(fallback) has \(role), and \(own); name one with the same role, or write "
                    + "fallback-other-role = true")
        }
    }
}

extension ProfileReading {
    /// The profiles whose sessions it may ask for.
    fileprivate var next: [ProfileName] {
        if case .assumeRole(let draft) = source { [draft.base] + fallbacks } else { fallbacks }
    }
}

extension Source {
    /// The settings beside the role that decide what a session may do, and as whom. Whether a Roles Anywhere profile has a
    /// policy is not known here, and it is another one in each region.
    fileprivate var bounds: SessionBounds {
        guard case .assumeRole(let role) = self else { return SessionBounds() }
        let options = role.request.options
        return SessionBounds(
            policy: options.policy, policyARNs: Set(options.policyARNs), tags: options.tags,
            sourceIdentity: options.sourceIdentity)
    }

    /// What stands in the place of a role that is not known.
    fileprivate var unknownRole: String {
        kind == .accessKey ? "no role, but what an IAM user may do" : "a role that only IoT Core knows"
    }

    /// The partition of its sessions and the region of its service, where they are known.
    fileprivate var place: (partition: String?, region: String?) {
        switch self {
        case .rolesAnywhere(_, let request): (request.scope.roleARN.partition, request.scope.region)
        case .iotCore(_, let request): (nil, request.region)
        case .assumeRole(let role): (role.request.roleARN.partition, role.request.service.region)
        case .accessKey(let key):
            (Partition.known(for: key.request.service.region)?.name, key.request.service.region)
        }
    }
}

private struct SessionBounds: Hashable {
    var policy: String?
    var policyARNs: Set<String> = []
    var tags: [String: String] = [:]
    var sourceIdentity: String?
}
