import AgentAPI
import Testing

@testable import Agent

@Suite("One refresh for all who wait")
struct CredentialFlightTests {
    @Test("10,000 callers on an empty cache cost one attempt, and get the same")
    func tenThousand() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .session(3600))
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<10_000 { group.addTask { try await world.ask() } }
            try await world.untilWaiting(10_000)
            world.source.release()
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(keys == ["ASIATEST0"])
        #expect(world.source.count == 1)
        await world.end()
    }

    @Test("A failure is shared as well, and remembered for those who come after")
    func sharedFailure() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .failure(.down))
        let callers = (0..<100).map { _ in world.caller() }
        try await world.untilWaiting(100)
        world.source.release()
        for caller in callers { #expect(await caller.value.failure?.code == .awsUnavailable) }
        #expect(await world.caller().value.failure?.code == .awsUnavailable)
        #expect(world.source.count == 1)
        await world.end()
    }

    @Test("A caller who hangs up leaves at once, and the flight to the others")
    func cancelledCaller() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .session(3600))
        let callers = (0..<3).map { _ in world.caller() }
        try await world.untilWaiting(3)
        callers[0].cancel()
        #expect(await callers[0].value.failure?.code == .requestTimeout)
        #expect(try await world.status().waiting == 2)
        world.source.release()
        #expect(await callers[1].value == .success("ASIATEST0"))
        #expect(await callers[2].value == .success("ASIATEST0"))
        await world.end()
    }

    @Test("When all callers have hung up, the session is kept for the next")
    func abandonedByAll() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .session(3600))
        let caller = world.caller()
        try await world.untilWaiting(1)
        caller.cancel()
        _ = await caller.value
        world.source.release()
        try await world.settle()
        #expect(try await world.ask() == "ASIATEST0")
        #expect(world.source.count == 1)
        await world.end()
    }

    @Test("A caller is answered within 50 seconds whatever the source does, and the flight goes on")
    func deadline() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .session(3600))
        let first = world.caller()
        try await world.untilWaiting(1)
        try await world.advance(Int64(30).seconds)
        let second = world.caller()
        try await world.untilWaiting(2)
        try await world.advance(Int64(20).seconds)
        let problem = await first.value.failure
        #expect(problem?.code == .tokenBusy)
        #expect(problem?.exit == .temporaryFailure)
        #expect(try await world.status().waiting == 1)
        world.source.release()
        #expect(await second.value == .success("ASIATEST0"))
        #expect(world.source.count == 1)
        await world.end()
    }

    @Test("A source that never answers is given up after ten minutes, and tried again")
    func hungSource() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .session(3600))
        let caller = world.caller()
        try await world.untilWaiting(1)
        try await world.advance(Int64(10).minutes - 1)
        #expect(await caller.value.failure?.code == .tokenBusy)
        #expect(try await world.status().isRefreshing)
        try await world.advance(1)
        #expect(try await world.status().isRefreshing == false)
        #expect(await world.caller().value.failure?.retryAfter == 1)
        try await world.advance(1000)
        world.source.always(.session(3600))
        #expect(try await world.ask() == "ASIATEST1")
        world.source.release()  // what comes now is nobody's
        try await world.settle()
        #expect(try await world.ask() == "ASIATEST1")
        await world.end()
    }

    @Test("A source that is given up is told so")
    func cancelledSource() async throws {
        let world = try CredentialWorld()
        world.source.script { _, _ in .init(takes: Int64(11).minutes, outcome: .session(3600)) }
        let caller = world.caller()
        try await world.untilWaiting(1)
        try await world.advance(Int64(10).minutes)
        _ = await caller.value
        let attempt = try #require(world.source.attempt(0))
        #expect(attempt.isCancelled)
        #expect(attempt.ended == attempt.began + Int64(10).minutes)
        await world.end()
    }

    @Test("Profiles don't wait for each other")
    func independence() async throws {
        let world = try CredentialWorld("one", "two")
        let one = world.profiles[0]
        world.source.script { profile, _ in .init(isHeld: profile == one, outcome: .session(3600)) }
        let caller = world.caller(one)
        try await world.untilWaiting(1)
        #expect(try await world.ask(world.profiles[1]) == "ASIATEST1")
        world.source.release()
        #expect(await caller.value == .success("ASIATEST0"))
        await world.end()
    }

    @Test("A forced refresh gives a new session, at most one in 30 seconds")
    func forced() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        #expect(await world.refresher().value == .success("ASIATEST1"))
        #expect(try await world.ask() == "ASIATEST1")
        try await world.advance(Int64(30).seconds - 1)
        let problem = await world.refresher().value.failure
        #expect(problem?.code == .tooManyRequests)
        #expect(problem?.retryAfter == 1)
        #expect(world.source.count == 2)
        try await world.advance(1)
        #expect(await world.refresher().value == .success("ASIATEST2"))
        await world.end()
    }

    @Test("A forced refresh that fails says so, and keeps what is held")
    func forcedFailure() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.always(.failure(.denied))
        #expect(await world.refresher().value.failure?.code == .awsDenied)
        #expect(try await world.ask() == "ASIATEST0")
        await world.end()
    }

    @Test("A forced refresh joins the flight under way, and does not settle for what is held")
    func forcedJoins() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.hold(then: .session(3600))
        let callers = (0..<3).map { _ in world.refresher() }
        try await world.untilWaiting(3)
        try await world.advance(Int64(10).seconds)
        #expect(try await world.status().waiting == 3)
        #expect(try await world.ask() == "ASIATEST0")
        world.source.release()
        for caller in callers { #expect(await caller.value == .success("ASIATEST1")) }
        #expect(world.source.count == 2)
        await world.end()
    }

    @Test("Forced refreshes leave half of the hour's attempts to the cache")
    func forcedShare() async throws {
        let world = try CredentialWorld()
        for _ in 0..<100 {
            _ = await world.refresher().value
            try await world.advance(Int64(30).seconds)
        }
        #expect(world.source.attempts.filter { $0.began - world.source.attempts[0].began < Int64(1).hours }.count == 30)
        #expect(await world.caller().value.failure == nil)
        await world.end()
    }
}
