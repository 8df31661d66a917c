import Testing

@testable import Prompts

struct PromptTimeTests {
    @Test(
        "The shortest time is a person's whole, and what another prompt leaves of it is none",
        arguments: [
            (4999, false, 5), (5000, false, 5), (4990, true, nil), (5000, true, 5), (5001, true, 6), (40_000, true, 40),
        ] as [(Int64, Bool, Int?)])
    func seconds(left: Int64, hasWaited: Bool, seconds: Int?) {
        #expect(Prompts.seconds(left: left, hasWaited: hasWaited) == seconds)
    }
}
