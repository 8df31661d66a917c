import AgentAPI
import NIOCore
import Testing

@testable import Agent

@Suite("Connections at the entrance") struct EntranceTests {
    private static let (own, root, listed, other, stranger): (UInt32, UInt32, UInt32, UInt32, UInt32) =
        (1000, 0, 2000, 2001, 3000)

    private static func peer(_ uid: UInt32) -> Peer { Peer(uid: uid, gid: uid, pid: 9) }

    private static func policy(_ scope: AgentScope = .system) -> Policy {
        let allow = AllowList(users: [listed, other, 2002], groups: [])
        return Policy(agentUID: own, scope: scope, profiles: ProfileName("prod").map { [$0: allow] } ?? [:])
    }

    private static func verdicts(
        _ entrance: inout Entrance, _ uids: [UInt32], hasSpoken: Bool = true, at milliseconds: Int64 = 0,
        policy: Policy = policy()
    ) -> [Entrance.Verdict] {
        uids.map {
            let now = NIODeadline.uptimeNanoseconds(0) + .milliseconds(milliseconds)
            return entrance.judge(
                peer($0), policy: policy, isWorker: false, hasSpoken: { hasSpoken }, at: now
            ).verdict
        }
    }

    private static let small = {
        var limits = ServerLimits()
        (limits.connectionsOfOwner, limits.keptConnections) = (3, 2)
        (limits.connectionsPerUser, limits.connectionsOfUsers) = (2, 3)
        (limits.toldPerUserAndSecond, limits.toldPerSecond) = (2, 3)
        return limits
    }()

    @Test("The owner and root share their connections, and have some kept beyond those") func owner() {
        var entrance = Entrance(limits: Self.small)
        let full = Entrance.Verdict.tell(Self.small.isFull(Self.own))
        #expect(
            Self.verdicts(&entrance, [Self.own, Self.root, Self.own, Self.root, Self.own, Self.own]) == [
                .serve(.owner), .serve(.owner), .serve(.owner), .serve(.kept), .serve(.kept), full,
            ])
        entrance.leave(.kept)
        entrance.leave(.owner)
        #expect(Self.verdicts(&entrance, [Self.own, Self.own]) == [.serve(.owner), .serve(.kept)])
    }

    @Test("The last of the kept connections are for peers that have sent something") func silent() throws {
        var limits = Self.small
        (limits.connectionsOfOwner, limits.keptConnections) = (0, 8)
        var entrance = Entrance(limits: limits)
        let owners = Array(repeating: Self.own, count: 10)
        #expect(Self.verdicts(&entrance, owners, hasSpoken: false).count { $0 == .serve(.kept) } == 6)
        #expect(Self.verdicts(&entrance, owners).count { $0 == .serve(.kept) } == 2)
    }

    @Test("Root has no share of a user's own agent") func rootOfAUser() {
        var entrance = Entrance(limits: Self.small)
        let policy = Self.policy(.user)
        #expect(
            Self.verdicts(&entrance, [Self.root], policy: policy) == [.tell(policy.problem("no profile allows uid 0"))])
    }

    @Test("A listed user has few connections, and all listed users together leave the owner's alone") func users() {
        var entrance = Entrance(limits: Self.small)
        let (one, two) = (Entrance.Verdict.serve(.user(Self.listed)), Entrance.Verdict.serve(.user(Self.other)))
        #expect(
            Self.verdicts(&entrance, [Self.listed, Self.listed, Self.listed]) == [
                one, one, .tell(Self.small.isFull(Self.listed)),
            ])
        #expect(Self.verdicts(&entrance, [Self.other, Self.other]) == [two, .tell(Self.small.isFull(Self.other))])
        #expect(
            Self.verdicts(&entrance, Array(repeating: Self.own, count: 5)).count {
                $0 == .serve(.owner) || $0 == .serve(.kept)
            }
                == 5)
        entrance.leave(.user(Self.listed))
        #expect(Self.verdicts(&entrance, [Self.other]) == [two])
    }

    @Test("Peers beyond some a second, of one user and of all, are hung up on without a word") func told() {
        var entrance = Entrance(limits: Self.small)
        func isTold(_ uids: [UInt32], at milliseconds: Int64) -> [Bool] {
            Self.verdicts(&entrance, uids, at: milliseconds).map { $0 != .close }
        }
        #expect(isTold([3000, 3000, 3000, 3001, 3002], at: 0) == [true, true, false, true, false])
        #expect(isTold([3000, 3003], at: 999) == [false, false])
        #expect(isTold([3000, 3003], at: 1000) == [true, true])
    }

    @Test("All who reach a consumer's socket have the share of one user, and the agent's own user is one of them")
    func consumers() throws {
        let (one, two) = ("/run/one.sock", "/run/two.sock")
        func policy(_ path: String) -> Policy {
            Self.policy().serving(
                ListenerConfiguration(
                    .socket(SocketFile(path: path, mode: 0o600)), profiles: []))
        }
        var entrance = Entrance(limits: Self.small)
        let uids = [Self.own, 100_000, 100_001]
        #expect(
            Self.verdicts(&entrance, uids, policy: policy(one)) == [
                .serve(.consumer(one)), .serve(.consumer(one)), .tell(Self.small.isFull(100_001)),
            ])
        #expect(
            Self.verdicts(&entrance, [100_000, Self.own], policy: policy(two)) == [
                .serve(.consumer(two)), .tell(Self.small.isFull(Self.own)),
            ])
        #expect(Self.verdicts(&entrance, [Self.listed]) == [.tell(Self.small.isFull(Self.listed))])
        #expect(Self.verdicts(&entrance, [Self.own, Self.own, Self.own]).allSatisfy { $0 == .serve(.owner) })
        entrance.leave(.consumer(one))
        #expect(Self.verdicts(&entrance, [Self.own], policy: policy(one)) == [.serve(.consumer(one))])
    }

    @Test("A worker of the agent is no peer, under any user, and its try is told as an attack") func worker() {
        var entrance = Entrance(limits: Self.small)
        for (second, uid) in [Self.own, Self.root, Self.listed, Self.stranger].enumerated() {
            let now = NIODeadline.uptimeNanoseconds(0) + .seconds(Int64(second))
            let (verdict, line) = entrance.judge(
                Self.peer(uid), policy: Self.policy(), isWorker: true, hasSpoken: { true }, at: now)
            #expect(verdict == .close)
            #expect(line?.isAttack == true)
        }
    }

    @Test(
        "However few descriptors there are, each has its part, and two listed users together are not all",
        arguments: [0, 16, 64, 100, 300, 512, 1024, 4096, 12_000, 16_384, 1_048_576])
    func descriptors(count: Int) {
        let limits = ServerLimits().fitting(descriptors: count)
        #expect(limits.connectionsOfOwner > 0 && limits.keptConnections > 0)
        #expect(limits.connectionsPerUser > 0 && limits.connectionsPerUser <= 128)
        #expect(limits.connectionsOfUsers > 0 && limits.keptConnections <= 64)
        #expect(count < 100 || limits.connectionsPerUser * 2 < limits.connectionsOfUsers)
        let all = limits.connectionsOfOwner + limits.keptConnections + limits.connectionsOfUsers
        #expect(all <= max(8, max(count / 4, count - 320)))
        #expect(count < 16_384 || limits.connectionsOfOwner == 12_000)
    }
}
