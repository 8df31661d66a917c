import Testing

@testable import Agent

struct UnjudgedRepeatsTests {
    private var repeats = UnjudgedRepeats()

    @Test("Three crashes within an hour leave a silent login each, and a fourth leaves none")
    mutating func crashes() {
        for minute: Int64 in [0, 20, 40] {
            #expect(repeats.note(at: minute * 60_000))
        }
        #expect(!repeats.note(at: 59 * 60_000))
    }

    @Test("An hour later a crash is the first again")
    mutating func later() {
        for _ in 1...4 { _ = repeats.note(at: 0) }
        #expect(repeats.note(at: 3_600_000))
    }
}
