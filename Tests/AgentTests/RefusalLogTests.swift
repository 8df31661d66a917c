import AgentAPI
import Testing

@testable import Agent

@Suite("The last refusals")
struct RefusalLogTests {
    private static func refusal(_ program: String?, uid: UInt32 = 1, at time: Int64 = 0, _ detail: String = "no")
        -> ProfileStatus.Refusal
    {
        ProfileStatus.Refusal {
            ($0.program, $0.uid, $0.time, $0.code, $0.detail) = (program, uid, "\(time)", "pin-needed", detail)
        }
    }

    @Test("Of each program and user the last one is kept, the newest first")
    func last() throws {
        let profile = try #require(ProfileName("prod"))
        let other = try #require(ProfileName("dev"))
        var log = RefusalLog(profiles: [profile, other])
        log.note(Self.refusal("aws", at: 1), of: profile)
        log.note(Self.refusal("aws", uid: 2, at: 2), of: profile)
        log.note(Self.refusal(nil, at: 3), of: profile)
        log.note(Self.refusal("aws", at: 4), of: profile)
        log.note(Self.refusal("aws", at: 5), of: other)
        #expect(log.refusals(of: profile).map(\.time) == ["4", "3", "2"])
        log.keep([profile])
        #expect(log.refusals(of: profile).count == 3)
        #expect(log.refusals(of: other).isEmpty)
    }

    @Test("However many programs and bytes there are, what is kept is bounded, and nothing of profiles that are none")
    func bounds() throws {
        let (profile, stranger) = try (#require(ProfileName("prod")), #require(ProfileName("stranger")))
        var log = RefusalLog(profiles: [profile])
        for number in 0..<20 {
            for name in [profile, stranger] {
                log.note(Self.refusal("program \(number)", String(repeating: "é", count: 10_000)), of: name)
            }
        }
        #expect(log.refusals(of: stranger).isEmpty)
        let kept = log.refusals(of: profile)
        #expect(kept.map(\.program) == (12..<20).reversed().map { "program \($0)" })
        #expect(kept.allSatisfy { $0.detail.count == RefusalLog.longestDetail + 1 })
    }

    @Test("Ten programs in a second are asked for their names")
    func names() {
        var log = RefusalLog(profiles: [])
        let answers = ([7, 8] as [Int64]).map { second in (0..<20).map { _ in log.mayLookUp(at: second) } }
        #expect(answers.allSatisfy { $0 == Array(repeating: true, count: 10) + Array(repeating: false, count: 10) })
    }
}
