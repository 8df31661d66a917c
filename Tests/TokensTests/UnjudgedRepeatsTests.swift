import Testing

@testable import Tokens

struct UnjudgedRepeatsTests {
    private static func notes(atMinutes minutes: [Int64]) -> [Bool] {
        var repeats = UnjudgedRepeats()
        return minutes.map { repeats.note(at: $0 * 60_000) }
    }

    @Test("Three crashes within an hour leave a silent login each, and a fourth leaves none")
    func crashes() {
        #expect(Self.notes(atMinutes: [0, 20, 40, 59]) == [true, true, true, false])
    }

    @Test("A crash counts for an hour")
    func later() {
        #expect(Self.notes(atMinutes: [0, 20, 40, 60, 79, 80]) == [true, true, true, true, false, false])
    }
}
