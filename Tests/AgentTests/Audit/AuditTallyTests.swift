import AgentAPI
import NIOCore
import Testing

@testable import Agent

@Suite("Audit lines that are counted") struct AuditTallyTests {
    private static func time(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .milliseconds(milliseconds)
    }

    private static func record(_ uid: UInt32, pid: Int32 = 9) -> AuditRecord {
        AuditRecord(peer: Peer(uid: uid, gid: uid, pid: pid), route: nil, decision: .deny(reason: "no"), status: 403)
    }

    private static func answer(
        _ uid: UInt32, _ route: Route.Action, _ profile: String, _ key: String? = nil, status: Int = 200
    ) -> AuditRecord {
        AuditRecord(
            peer: Peer(uid: uid, gid: uid, pid: 9), route: route, profile: ProfileName(profile),
            decision: .allow(reason: "yes"), status: status,
            issued: key.map { .init(accessKeyID: $0, expiration: 1) })
    }

    @Test("The first is written at once, then one a second at most, and the rest is counted") func counted() {
        var tally = AuditTally(milliseconds: 1000)
        func others(_ milliseconds: Int64) -> Int? {
            tally.note(Self.record(1), as: .denied, at: Self.time(milliseconds))?.others
        }
        #expect(others(0) == 0)
        #expect(others(1) == nil)
        #expect(others(999) == nil)
        #expect(others(1000) == 2)
        #expect(others(1001) == nil)
        #expect(tally.nextDue == Self.time(2000))
        #expect(tally.due(at: Self.time(1999)).isEmpty)
        #expect(tally.due(at: Self.time(2000)).map(\.others) == [0])
        #expect(tally.due(at: Self.time(3000)).isEmpty)
        #expect(tally.nextDue == nil)
    }

    @Test("All denied users share one line a second, and many of one do not hide another") func shared() {
        var tally = AuditTally(milliseconds: 1000)
        var written = 0
        for user in UInt32(1)...1000 where tally.note(Self.record(user), as: .denied, at: Self.time(1)) != nil {
            written += 1
        }
        #expect(written == 1)
        #expect(tally.due(at: Self.time(1001)).map(\.others) == [998])
        // User 1000 has the last line.
        for user: UInt32 in [1000, 7, 1000, 1000] {
            #expect(tally.note(Self.record(user), as: .denied, at: Self.time(1500)) == nil)
        }
        let line = tally.due(at: Self.time(2500)).first
        #expect(line?.peer.uid == 7)
        #expect(line?.others == 3)
    }

    @Test("The lines at the end tell all that was only counted") func rest() {
        var tally = AuditTally(milliseconds: 1000)
        for pid: Int32 in 1...5 { _ = tally.note(Self.record(1, pid: pid), as: .denied, at: Self.time(0)) }
        _ = tally.note(Self.record(2), as: .attack, at: Self.time(0))
        #expect(tally.rest().map(\.others) == [3])
    }

    @Test(
        "Answers to one user that are alike are of one kind; names that a peer makes up make no kinds",
        arguments: [
            (answer(1, .credentials, "prod", "A"), answer(1, .credentials, "prod", "A"), true),
            (answer(1, .credentials, "prod", "A"), answer(1, .credentials, "prod", "B"), false),
            (answer(1, .credentials, "prod", "A"), answer(2, .credentials, "prod", "A"), false),
            (answer(1, .credentials, "prod"), answer(1, .credentials, "test"), false),
            (answer(1, .credentials, "prod"), answer(1, .refresh, "prod"), false),
            (answer(1, .credentials, "prod"), answer(1, .credentials, "prod", status: 423), false),
            (answer(1, .credentials, "made"), answer(1, .credentials, "up"), true),
        ] as [(AuditRecord, AuditRecord, Bool)])
    func kinds(first: AuditRecord, second: AuditRecord, isOne: Bool) {
        let known: Set<String> = ["prod", "test"]
        let kinds = [first, second].map { AuditTally.Kind($0) { known.contains("\($0)") } }
        #expect((kinds[0] == kinds[1]) == isOne)
    }
}
