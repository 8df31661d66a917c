import AgentAPI
import Testing

@testable import Agent

@Suite("Chains and fallbacks in any order of events")
struct SessionModelTests {
    @Test("No rule for sessions is broken, whatever is asked, answered, locked, dropped and reloaded in which order")
    func model() async {
        var counts = SessionWitness.Counts()
        for seed in 1...10_000 as ClosedRange<UInt64> {
            await Task.yield()  // other tests share the threads
            var life = SessionLife(seed: seed)
            life.live()
            counts += life.witness.counts
            guard let rule = life.witness.broken else { continue }
            life = SessionLife(seed: seed, diary: [])
            life.live()
            Issue.record("seed \(seed): \(rule)\n\(life.diary?.joined(separator: "\n") ?? "")")
            return
        }
        // Each of these has to happen often for the rules to have been tried.
        #expect(counts.sessions > 20_000 && counts.refusals > 20_000, "\(counts)")
        #expect(counts.standIns > 700 && counts.ofStandIns > 300 && counts.back > 100, "\(counts)")
        #expect(counts.chained > 7000 && counts.withdrawn > 2000, "\(counts)")
    }
}
