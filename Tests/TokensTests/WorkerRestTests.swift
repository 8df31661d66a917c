import Testing

@testable import Tokens

struct WorkerRestTests {
    @Test("The first death costs no pause, and then each costs twice the last one's, up to 30 seconds")
    func pauses() {
        var rest = WorkerRest()
        var now: Int64 = 1_000_000
        var pauses: [Int64] = []
        for _ in 1...9 {
            #expect(rest.refusal(at: now) == nil)
            rest.noteDeath(at: now, because: "it crashed")
            let pause = Self.milliseconds(rest.refusal(at: now))
            pauses.append(pause)
            now += pause
        }
        #expect(pauses == [0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800])
    }

    @Test("Ten deaths within five minutes open the circuit for five")
    func circuit() {
        var rest = WorkerRest()
        for death in 1...10 { rest.noteDeath(at: Int64(death) * 29_000, because: "it crashed") }
        #expect(
            rest.refusal(at: 290_000)
                == .resting("its worker has died 10 times in a row, the last time: it crashed", milliseconds: 300_000))
        #expect(
            rest.refusal(at: 589_999)
                == .resting("its worker has died 10 times in a row, the last time: it crashed", milliseconds: 1))
        #expect(rest.refusal(at: 590_000) == nil)
    }

    @Test("Deaths that are five minutes old are forgotten")
    func window() {
        var rest = WorkerRest()
        for death in 1...9 { rest.noteDeath(at: Int64(death), because: "it crashed") }
        rest.noteDeath(at: 300_009, because: "it crashed")
        #expect(rest.refusal(at: 300_009) == nil)
    }

    @Test("After an answer the count begins anew")
    func answers() {
        var rest = WorkerRest()
        for death in 1...20 {
            let now = Int64(death) * 1000
            rest.noteDeath(at: now, because: "it crashed")
            #expect(rest.refusal(at: now) == nil)
            rest.noteAnswer()
        }
    }

    private static func milliseconds(_ failure: ModuleFailure?) -> Int64 {
        if case .resting(_, let milliseconds) = failure { milliseconds } else { 0 }
    }
}
