import Testing

@testable import Agent

struct UnjudgedRepeatsTests {
    private var repeats = UnjudgedRepeats()

    @Test("The first crash leaves one silent login, and the fourth within an hour none")
    mutating func crashes() {
        for minute: Int64 in [0, 20, 40] {
            #expect(repeats.note(isKilled: false, at: minute * 60_000) == .doubted)
            repeats.noteTaken()
        }
        #expect(repeats.note(isKilled: false, at: 59 * 60_000) == .unanswered)
    }

    @Test("An hour later a crash is the first again")
    mutating func later() {
        for _ in 1...4 { _ = repeats.note(isKilled: false, at: 0) }
        #expect(repeats.note(isKilled: false, at: 3_600_000) == .doubted)
    }

    @Test("One kill from outside leaves the PIN known, a second in a row does not")
    mutating func kills() {
        for _ in 1...10 {
            #expect(repeats.note(isKilled: true, at: 0) == .known)
            repeats.noteTaken()
        }
        #expect(repeats.note(isKilled: true, at: 0) == .known)
        #expect(repeats.note(isKilled: true, at: 0) == .doubted)
    }
}
