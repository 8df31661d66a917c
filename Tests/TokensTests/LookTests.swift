import Testing
import TokenService

@testable import Tokens

@Suite("A look that many wait for")
struct LookTests {
    private let look = Look()
    private static let seen = Look.Outcome.success([])

    private func waiters(_ count: Int) async -> [Task<Look.Outcome?, Never>] {
        let tasks = (0..<count).map { _ in Task { await look.outcome() } }
        while look.waiters != count { await Task.yield() }
        return tasks
    }

    @Test("All who wait get the outcome, and so does one who comes later")
    func end() async {
        let tasks = await waiters(100)
        look.end(with: Self.seen)
        for task in tasks { #expect(await task.value == Self.seen) }
        #expect(look.waiters == 0)
        #expect(await look.outcome() == Self.seen)
    }

    @Test("The end of a step answers all who wait, and they may wait again")
    func step() async {
        for task in await endingStep(of: waiters(10)) { #expect(await task.value == nil) }
        let again = await waiters(1)
        look.end(with: Self.seen)
        #expect(await again[0].value == Self.seen)
    }

    @Test("A cancelled task is answered at once, leaves nothing behind, and costs the others nothing")
    func cancellation() async {
        let tasks = await waiters(100)
        for task in tasks[..<99] { task.cancel() }
        for task in tasks[..<99] { #expect(await task.value == nil) }
        #expect(look.waiters == 1)
        look.end(with: Self.seen)
        #expect(await tasks[99].value == Self.seen)
    }

    @Test("A task that was cancelled before does not wait", arguments: [false, true])
    func cancelledBefore(hasEnded: Bool) async {
        if hasEnded { look.end(with: Self.seen) }
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await look.outcome()
        }
        task.cancel()
        #expect(await task.value == (hasEnded ? Self.seen : nil))
        #expect(look.waiters == 0)
    }

    @Test("Cancellation at any moment answers each task once")
    func races() async {
        for round in 0..<1000 {
            let look = Look()
            let task = Task { await look.outcome() }
            if round.isMultiple(of: 2) { await Task.yield() }
            async let end: Void = look.end(with: Self.seen)
            task.cancel()
            let outcome = await task.value
            #expect(outcome == nil || outcome == Self.seen)
            await end
            #expect(look.waiters == 0)
        }
    }

    private func endingStep(of tasks: [Task<Look.Outcome?, Never>]) -> [Task<Look.Outcome?, Never>] {
        look.endStep()
        return tasks
    }
}
