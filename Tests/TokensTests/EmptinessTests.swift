import Testing

@testable import Tokens

@Suite("A module without a token")
struct EmptinessTests {
    @Test("It is loaded anew after two seconds, then more seldom, at most once a minute")
    func pauses() {
        var emptiness = Emptiness()
        let moments = (0...300).filter { second in
            emptiness.note(isEmpty: true, at: 1_000_000 + Int64(second) * 1000)
        }
        #expect(moments == [2, 6, 14, 30, 62, 122, 182, 242])
    }

    @Test("A token begins it all anew")
    func token() {
        var emptiness = Emptiness()
        let seconds: [(Int64, Bool)] = [(0, true), (1, false), (3, true), (4, true), (5, true)]
        let answers = seconds.map { second, isEmpty in emptiness.note(isEmpty: isEmpty, at: second * 1000) }
        #expect(answers == [false, false, false, false, true])
    }
}
