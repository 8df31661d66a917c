import Testing

@testable import Tokens

@Suite struct WorkerNumbersTests {
    @Test("A number is a worker's from its start until some seconds after its end") func ends() {
        var numbers = WorkerNumbers()
        let now = ContinuousClock.now
        #expect(!numbers.contains(7, at: now))
        numbers.start(7)
        #expect(numbers.contains(7, at: now + .seconds(86_400)))
        #expect(!numbers.contains(8, at: now))
        numbers.end(7, at: now)
        #expect(numbers.contains(7, at: now + .seconds(9)))
        #expect(!numbers.contains(7, at: now + .seconds(10)))
    }

    @Test("A number that another worker gets is that worker's") func reused() {
        var numbers = WorkerNumbers()
        let now = ContinuousClock.now
        numbers.start(7)
        numbers.end(7, at: now)
        numbers.start(7)
        #expect(numbers.contains(7, at: now + .seconds(60)))
    }
}
