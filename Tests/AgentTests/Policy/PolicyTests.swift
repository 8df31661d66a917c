import AgentAPI
import Files
import Testing

@testable import Agent

@Suite struct PolicyTests {
    struct Row: Sendable {
        var peer: Peer
        var scope: AgentScope
        var permission: Route.Permission
        var profile: String?
        var expected: Policy.Decision

        init(
            _ uid: UInt32, _ gid: UInt32, groups: [UInt32] = [], _ scope: AgentScope,
            _ permission: Route.Permission, profile: String? = nil, _ expected: Policy.Decision
        ) {
            peer = Peer(uid: uid, gid: gid, pid: 1, groups: groups)
            (self.scope, self.permission, self.profile, self.expected) = (scope, permission, profile, expected)
        }
    }

    private static let own = Policy.Decision.allow(reason: "the agent's own user")
    private static func notListed(_ uid: UInt32) -> Policy.Decision {
        .deny(reason: "this profile does not allow uid \(uid)")
    }
    private static let overflow = Policy.Decision.deny(reason: "uid 65534 stands for users unknown here")

    /// The agent's user is 1000; `open` lists user 2000 and group 3000, `nobody` the overflow ids, `own` none.
    static let rows: [Row] = [
        Row(1000, 1000, .user, .owner, own),
        Row(1000, 1000, .system, .owner, own),
        Row(1000, 1000, .user, .useProfile, profile: "open", own),
        Row(1000, 1000, .user, .useProfile, profile: "own", own),
        Row(1000, 1000, .user, .useProfile, profile: "unknown", own),
        Row(0, 0, .user, .owner, .deny(reason: "only the agent's own user may ask this")),
        Row(0, 0, .system, .owner, .allow(reason: "root")),
        Row(0, 0, .user, .useProfile, profile: "open", notListed(0)),
        Row(0, 0, .system, .useProfile, profile: "open", notListed(0)),
        Row(0, 0, groups: [3000], .system, .useProfile, profile: "open", .allow(reason: "group 3000 is listed")),
        Row(1001, 0, .system, .owner, .deny(reason: "only the agent's own user and root may ask this")),
        Row(2000, 2000, .user, .owner, .deny(reason: "only the agent's own user may ask this")),
        Row(2000, 2000, .user, .useProfile, profile: "open", .allow(reason: "user 2000 is listed")),
        Row(2000, 2000, .system, .useProfile, profile: "open", .allow(reason: "user 2000 is listed")),
        Row(2000, 2000, .user, .useProfile, profile: "own", notListed(2000)),
        Row(2000, 2000, .user, .useProfile, profile: "unknown", notListed(2000)),
        Row(2000, 2000, .user, .useProfile, profile: nil, notListed(2000)),
        Row(2001, 3000, .user, .useProfile, profile: "open", .allow(reason: "group 3000 is listed")),
        Row(2001, 5, groups: [4, 3000], .user, .useProfile, profile: "open", .allow(reason: "group 3000 is listed")),
        Row(2001, 2000, groups: [2000], .user, .useProfile, profile: "open", notListed(2001)),
        Row(3000, 5, .user, .useProfile, profile: "open", notListed(3000)),
        Row(65_534, 65_534, .user, .useProfile, profile: "nobody", overflow),
        Row(65_534, 3000, .system, .useProfile, profile: "open", overflow),
        Row(65_534, 65_534, .system, .owner, overflow),
        Row(2001, 65_534, groups: [65_534], .user, .useProfile, profile: "nobody", notListed(2001)),
    ]

    private static func policy(_ scope: AgentScope, agent: UInt32 = 1000) -> Policy {
        var profiles: [ProfileName: AllowList] = [:]
        for (name, list) in [
            ("open", AllowList(users: [2000], groups: [3000])), ("own", AllowList(users: [], groups: [])),
            ("nobody", AllowList(users: [65_534], groups: [65_534])),
            ("touched", AllowList(users: [2000], groups: [], gestures: true)),
        ] {
            if let name = ProfileName(name) { profiles[name] = list }
        }
        return Policy(agentUID: agent, scope: scope, profiles: profiles)
    }

    @Test("Each peer may do what it may, for the reason given", arguments: rows) func decides(row: Row) {
        let decision = Self.policy(row.scope).decide(
            row.peer, row.permission, profile: row.profile.flatMap { ProfileName($0) })
        #expect(decision == row.expected)
    }

    @Test("Users with at least one permission are admitted, and no others", arguments: rows) func admits(row: Row) {
        if case .allow = row.expected, case .deny(let reason) = Self.policy(row.scope).admits(row.peer) {
            Issue.record("not admitted: \(reason)")
        }
    }

    @Test(
        "Who may do nothing is not admitted",
        arguments: [
            (Peer(uid: 0, gid: 0, pid: 1), .user), (Peer(uid: 2001, gid: 2001, pid: 1, groups: [4]), .user),
            (Peer(uid: 65_534, gid: 3000, pid: 1), .user), (Peer(uid: 2001, gid: 65_534, pid: 1), .system),
        ] as [(Peer, AgentScope)])
    func refuses(peer: Peer, scope: AgentScope) {
        guard case .deny = Self.policy(scope).admits(peer) else {
            Issue.record("admitted")
            return
        }
    }

    @Test(
        "An agent cannot be the overflow user where that stands for others too",
        arguments: [
            (65_534, "0 0 4294967295", false), (65_534, "0 0 1\n61100 61100 1", true), (65_534, "0 100000 65536", true),
            (65_534, "", true), (1000, "0 0 1", false),
        ] as [(UInt32, String, Bool)])
    func ambiguity(agent: UInt32, map: String, isAmbiguous: Bool) {
        #expect((Policy.ambiguity(of: agent, among: KnownIDs(map: map)) != nil) == isAmbiguous)
    }

    @Test("An agent that runs as the overflow user serves itself") func overflowAgent() {
        let peer = Peer(uid: 65_534, gid: 65_534, pid: 1)
        #expect(Self.policy(.user, agent: 65_534).decide(peer, .owner, profile: nil) == Self.own)
        #expect(Self.policy(.user, agent: 65_534).admits(peer) == Self.own)
    }

    @Test(
        "Only the agent's own user has a person act, and others where the profile says so",
        arguments: [
            (1000, "own", true), (1000, nil, true), (2000, "open", false), (2000, "touched", true), (0, "own", false),
            (0, nil, false), (2000, "unknown", false),
        ] as [(UInt32, String?, Bool)])
    func gestures(uid: UInt32, profile: String?, expected: Bool) {
        let peer = Peer(uid: uid, gid: uid, pid: 1)
        let name = profile.flatMap { ProfileName($0) }
        #expect(Self.policy(.system).allowsGestures(for: peer, profile: name) == expected)
    }

    @Test(
        "A policy knows the profiles that it was given", arguments: [("open", true), ("own", true), ("other", false)])
    func knows(name: String, expected: Bool) throws {
        #expect(try Self.policy(.user).knows(#require(ProfileName(name))) == expected)
    }
}
