import AgentAPI
import Testing

@testable import Agent

@Suite("What happens after a failure")
struct CredentialBackOffTests {
    // network-faults.md R-5: 1 s × 2ⁿ, half of it random, cap 300 s; R-6: remembered for a second at least.
    @Test(
        "Pauses double up to five minutes, whoever calls",
        arguments: [
            (dice: 0, pauses: [1000, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 150_000, 150_000]),
            (1000, [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]),
        ] as [(dice: Int64, pauses: [Int64])])
    func pauses(dice: Int64, pauses: [Int64]) async throws {
        let world = try CredentialWorld(random: { dice })
        world.source.always(.failure(.down))
        await #expect(throws: Problem.self) { try await world.ask() }
        for pause in pauses {
            let count = world.source.count
            try await world.advance(pause - 1)
            await #expect(throws: Problem.self) { try await world.ask() }
            #expect(world.source.count == count)
            try await world.advance(1)
            await #expect(throws: Problem.self) { try await world.ask() }
            #expect(world.source.count == count + 1)
        }
        await world.end()
    }

    @Test("In the last ten minutes of what is held, pauses are half a minute at most")
    func urgency() async throws {
        let world = try CredentialWorld(random: { 1000 })
        _ = try await world.ask()
        world.source.always(.failure(.down))
        try await world.advance(Int64(59).minutes)
        let starts = world.source.attempts.map { $0.began - world.source.attempts[0].began }
        let lateGaps = zip(starts, starts.dropFirst()).filter { $1 > Int64(50).minutes }
            .map { $1 - max($0, Int64(50).minutes) }
        #expect(lateGaps.count >= 17)
        #expect(lateGaps.allSatisfy { $0 <= 30_000 })
        await world.end()
    }

    @Test(
        "In a total outage there are at most 60 attempts in any hour and 500 in any day",
        arguments: [0, 500, 1000] as [Int64])
    func budget(dice: Int64) async throws {
        let world = try CredentialWorld(random: { dice })
        world.source.always(.session(3600))
        _ = try await world.ask()
        world.source.always(.failure(.down))
        for _ in 0..<(36 * 360) {
            try await world.advance(10_000)
            _ = await world.caller().value
        }
        expectWithinBudget(world.source.attempts.map(\.began))
        #expect(world.source.count > 300)
        await world.end()
    }

    @Test("A token that changes for ever still costs at most 60 attempts an hour")
    func budgetOfChanges() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.pinNeeded))
        for _ in 0..<5000 {
            await world.cache.stateChanged()
            _ = await world.caller().value
            try await world.advance(1000)
        }
        expectWithinBudget(world.source.attempts.map(\.began))
        #expect(world.source.count > 60)
        await world.end()
    }

    @Test(
        "A throttling service's own pause is kept, up to ten minutes",
        arguments: [(asked: 120, kept: 120), (600, 600), (601, 600), (.max, 600), (0, 1), (-5, 1), (.min, 1)]
            as [(asked: Int, kept: Int64)])
    func throttled(asked: Int, kept: Int64) async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.throttled(asked)))
        let problem = await world.caller().value.failure
        #expect(problem?.code == .awsThrottled)
        #expect(problem?.retryAfter == Int(kept))
        try await world.advance(kept.seconds - 1)
        #expect(await world.caller().value.failure?.retryAfter == 1)
        #expect(world.source.count == 1)
        world.source.always(.session(3600))
        try await world.advance(1)
        #expect(try await world.ask() == "ASIATEST1")
        await world.end()
    }

    @Test("A refusal is remembered for a quarter of an hour")
    func permanent() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.denied))
        #expect(await world.caller().value.failure?.retryAfter == 900)
        try await world.advance(Int64(15).minutes - 1)
        #expect(await world.caller().value.failure?.code == .awsDenied)
        #expect(world.source.count == 1)
        try await world.advance(1)
        _ = await world.caller().value
        #expect(world.source.count == 2)
        await world.end()
    }

    @Test("A refusal is forgotten when the wall clock is set", arguments: [-31_000, 31_000] as [Int64])
    func permanentAndClock(leap: Int64) async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.denied))
        _ = await world.caller().value
        world.clock.setWall(by: leap - leap.signum() * 2000)
        _ = await world.caller().value
        #expect(world.source.count == 1)
        world.clock.setWall(by: leap.signum() * 2000)
        _ = await world.caller().value
        #expect(world.source.count == 2)
        await world.end()
    }

    @Test("A token that needs its PIN is not asked again until it has changed, or a person asks by name")
    func state() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.pinNeeded))
        let problem = await world.caller().value.failure
        #expect(problem?.code == .pinNeeded)
        #expect(problem?.retryAfter == nil)
        try await world.advance(Int64(24).hours)
        #expect(await world.caller().value.failure?.code == .pinNeeded)
        #expect(world.source.count == 1)
        #expect(await world.refresher().value.failure?.code == .pinNeeded)
        #expect(world.source.count == 2)
        world.source.always(.session(3600))
        await world.cache.stateChanged([world.profile])
        #expect(try await world.ask() == "ASIATEST2")
        await world.end()
    }

    @Test("An attempt in which the tokens change is made once more, and no caller waits for a third")
    func stateInFlight() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .failure(.pinNeeded))
        let caller = world.caller()
        for attempt in 1...2 {
            try await until { world.source.held > 0 && world.source.count >= attempt }
            await world.cache.stateChanged()
            world.source.release()
        }
        #expect(await caller.value.failure?.code == .pinNeeded)
        #expect(world.source.count == 2)
        world.source.always(.session(3600))
        #expect(try await world.ask() == "ASIATEST2")
        await world.end()
    }

    @Test("A refusal by the service is final for those who wait, though the attempt's own login has changed the tokens")
    func refusalAfterLogin() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .failure(.denied))
        let caller = world.caller()
        try await until { world.source.held > 0 }
        await world.cache.stateChanged()
        world.source.release()
        #expect(await caller.value.failure?.code == .awsDenied)
        #expect(await world.caller().value.failure?.code == .awsDenied)
        #expect(world.source.count == 1)
        await world.end()
    }

    @Test("A module that failed is asked at once when its tokens have changed", arguments: [true, false])
    func module(isTimeout: Bool) async throws {
        let world = try CredentialWorld()
        world.source.always(
            .failure(
                Problem(isTimeout ? .moduleTimeout : .moduleFailed, "it", retryAfter: 60)))
        #expect(await world.caller().value.failure?.retryAfter == 60)
        world.source.always(.session(3600))
        #expect(await world.caller().value.failure?.retryAfter == 60)
        await world.cache.stateChanged([world.profile])
        #expect(try await world.ask() == "ASIATEST1")
        await world.end()
    }

    @Test("With credentials held, a changed token is asked in the background")
    func stateInBackground() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.always(.failure(.pinNeeded))
        try await world.advance(Int64(45).minutes)
        #expect(world.source.count == 2)
        #expect(try await world.status().nextAttempt == nil)
        #expect(try await world.ask() == "ASIATEST0")
        world.source.always(.session(3600))
        await world.cache.stateChanged()
        try await world.settle()
        #expect(try await world.ask() == "ASIATEST2")
        await world.end()
    }

    @Test("After a missed touch no prompt comes within a minute, and then only for a caller")
    func gesture() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.always(.failure(.untouched))
        try await world.advance(Int64(45).minutes)
        #expect(world.source.count == 2)
        #expect(try await world.ask() == "ASIATEST0")  // its pause is over, so this caller prompts
        #expect(world.source.count == 3)
        try await world.advance(Int64(60).seconds - 1)
        await world.cache.stateChanged()
        #expect(try await world.ask() == "ASIATEST0")
        #expect(world.source.count == 3)
        world.source.always(.session(3600))
        try await world.advance(1)
        #expect(try await world.ask() == "ASIATEST3")
        await world.end()
    }

    @Test("After a missed touch, who has nothing may ask again in two seconds, and who asks by name at once")
    func gestureWithoutSession() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.untouched))
        await #expect(throws: Problem.self) { try await world.ask() }
        try await world.advance(Int64(2).seconds - 1)
        await #expect(throws: Problem.self) { try await world.ask() }
        #expect(world.source.count == 1)
        try await world.advance(1)
        await #expect(throws: Problem.self) { try await world.ask() }
        #expect(world.source.count == 2)
        for count in 3...4 {
            #expect(await world.refresher().value.failure?.code == .tokenBusy)
            #expect(world.source.count == count)
        }
        #expect(world.source.attempts.map(\.occasion) == [.request, .request, .demand, .demand])
        await world.end()
    }

    @Test("A success ends the pauses: the next failure begins with a second again")
    func reset() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.down))
        for _ in 0..<100 {
            _ = await world.caller().value
            try await world.advance(1000)
        }
        world.source.always(.session(900))
        try await world.advance(Int64(5).minutes)
        _ = try await world.ask()
        #expect(try await world.status().lastError == nil)
        world.source.always(.failure(.down))
        try await world.advance(Int64(16).minutes)
        let last = world.source.attempts.filter { $0.failure == nil }.count
        #expect(last == 1)
        let index = try #require(world.source.attempts.firstIndex { $0.failure == nil })
        let after = world.source.attempts[(index + 1)...].map(\.began)
        #expect(after[after.startIndex + 1] - after[after.startIndex] == 1000)
        await world.end()
    }

    private func expectWithinBudget(_ starts: [Int64]) {
        for (count, window) in [(60, Int64(1).hours), (500, Int64(24).hours)] {
            let isWithin = zip(starts, starts.dropFirst(count)).allSatisfy { $1 - $0 > window }
            #expect(isWithin, "more than \(count) attempts in \(window) ms")
        }
    }
}
