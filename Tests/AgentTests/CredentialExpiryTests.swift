import Agent
import Testing

@Suite("Two clocks, and what is expired by either")
struct CredentialExpiryTests {
    // A session of an hour. After `elapsed`, the wall clock is set by `leap`: may the session still be handed out, with
    // a service that is down?
    @Test(
        "A wall clock that is set takes away, and never gives",
        arguments: [
            (elapsed: 0, leap: 0, isServed: true), (0, 59 * 60, true), (0, 59 * 60 + 1, false), (0, 3600, false),
            (0, 86_400, false), (0, -86_400, true), (1800, 29 * 60, true), (1800, 29 * 60 + 1, false),
            (59 * 60, 0, true), (59 * 60, 1, false), (59 * 60, -7200, true), (59 * 60 + 1, 0, false),
            (59 * 60 + 1, -7200, false), (3600, -7200, false), (86_400, -86_400, false),
        ] as [(elapsed: Int64, leap: Int64, isServed: Bool)])
    func wallLeaps(elapsed: Int64, leap: Int64, isServed: Bool) async throws {
        for order in [true, false] {  // the clock is set before or after the time has passed
            let world = try CredentialWorld()
            _ = try await world.ask()
            world.source.always(.failure(.down))
            #expect(await world.refresher().value.failure != nil)
            if order { world.clock.setWall(by: leap.seconds) }
            try await world.advance(elapsed.seconds)
            if !order { world.clock.setWall(by: leap.seconds) }
            #expect((world.cache.published.ready(world.profile) != nil) == isServed, "published")
            #expect((await world.caller().value.failure == nil) == isServed, "asked")
            await world.end()
        }
    }

    @Test("Time that the machine sleeps through counts, though timers sleep as well", arguments: [30, 41, 59, 600])
    func suspend(minutes: Int64) async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        try await world.settle()
        world.clock.suspend(for: minutes.minutes)
        let ready = world.cache.published.ready(world.profile)
        #expect((ready != nil) == (minutes <= 40))
        #expect(try await world.ask() == (minutes <= 40 ? "ASIATEST0" : "ASIATEST1"))
        await world.end()
    }

    @Test("After a sleep the keeper looks within a minute")
    func suspendAndRefresh() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        try await world.settle()
        world.clock.suspend(for: Int64(45).minutes)
        try await world.advance(Int64(1).minutes)
        #expect(world.source.count == 2)
        await world.end()
    }

    @Test("After a leap forward that expires what is held, callers get a new session")
    func leapForward() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.clock.setWall(by: Int64(2).hours)
        #expect(try await world.ask() == "ASIATEST1")
        world.clock.setWall(by: Int64(-2).hours)
        #expect(world.cache.published.ready(world.profile)?.accessKeyID == "ASIATEST1")
        try await world.advance(Int64(38).minutes)  // by the boot clock its refresh is due
        #expect(world.source.count == 3)
        await world.end()
    }
}
