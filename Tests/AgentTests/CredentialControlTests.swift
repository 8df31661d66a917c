import AgentAPI
import Testing

@testable import Agent

@Suite("Locks, drops, reloads and the end")
struct CredentialControlTests {
    @Test("A lock drops what is held, and nothing is obtained until the unlock")
    func lock() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        await world.lock([world.profile])
        #expect(world.cache.published.ready(world.profile) == nil)
        #expect(try await world.status().expiration == nil)
        try await world.advance(Int64(24).hours)
        await world.cache.stateChanged()
        await world.cache.replace(Set(world.profiles), changed: Set(world.profiles))
        #expect(await world.caller().value.failure?.code == .locked)
        #expect(await world.refresher().value.failure?.code == .locked)
        #expect(world.source.count == 1)
        await world.unlock()
        #expect(try await world.ask() == "ASIATEST1")
        await world.end()
    }

    @Test("A lock while a session is under way stores nothing, and those who wait are told")
    func lockInFlight() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .session(3600))
        let caller = world.caller()
        try await world.untilWaiting(1)
        await world.lock()
        #expect(await caller.value.failure?.code == .locked)
        await world.unlock()
        world.source.release()
        try await world.settle()
        #expect(try await world.status().expiration == nil)
        #expect(world.cache.published.ready(world.profile) == nil)
        await world.end()
    }

    @Test("Locking one profile leaves the other alone")
    func lockOne() async throws {
        let world = try CredentialWorld("one", "two")
        _ = try await world.ask(world.profiles[0])
        _ = try await world.ask(world.profiles[1])
        await world.lock([world.profiles[0]])
        #expect(world.cache.published.ready(world.profiles[0]) == nil)
        #expect(world.cache.published.ready(world.profiles[1])?.accessKeyID == "ASIATEST1")
        await world.end()
    }

    @Test("A refusal that an unlock has overtaken is asked again for those who wait")
    func unlockInFlight() async throws {
        let world = try CredentialWorld()
        world.source.script { _, number in
            number == 0 ? .init(isHeld: true, outcome: .failure(.pinNeeded)) : .init(outcome: .session(3600))
        }
        let caller = world.caller()
        try await world.untilWaiting(1)
        await world.unlock()
        world.source.release()
        #expect(await caller.value == .success("ASIATEST1"))
        #expect(try await world.status().lastError == nil)
        await world.end()
    }

    @Test("An unlock does not shorten a pause of the network")
    func unlockAndBackOff() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.throttled(300)))
        _ = await world.caller().value
        await world.unlock()
        #expect(await world.caller().value.failure?.code == .awsThrottled)
        #expect(world.source.count == 1)
        await world.end()
    }

    @Test("A dropped session is obtained anew, and one under way is not stored")
    func drop() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        await world.cache.drop([world.profile])
        #expect(world.cache.published.ready(world.profile) == nil)
        world.source.script { _, number in .init(isHeld: number == 1, outcome: .session(3600)) }
        let caller = world.caller()
        try await until { world.source.held >= 1 }
        try await world.untilWaiting(1)
        await world.cache.drop()
        #expect(await caller.value == .success("ASIATEST2"))
        world.source.release()
        try await world.settle()
        #expect(try await world.ask() == "ASIATEST2")
        await world.end()
    }

    @Test("The session of a dropped attempt is not given to the callers that wait for the next")
    func lateResult() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .session(3600))
        let caller = world.caller()
        try await until { world.source.held >= 1 }
        try await world.untilWaiting(1)
        await world.cache.drop()
        try await until { world.source.held >= 2 }
        world.source.release()
        try await until { world.source.running(world.profile) == 1 }
        try await world.advance(1000)
        #expect(try await world.status().waiting == 1)
        world.source.release()
        #expect(await caller.value == .success("ASIATEST1"))
        await world.end()
    }

    @Test("A reload keeps the sessions of what did not change, and only those")
    func reload() async throws {
        let world = try CredentialWorld("same", "changed", "removed")
        for profile in world.profiles { _ = try await world.ask(profile) }
        let new = try #require(ProfileName("new"))
        await world.cache.replace([world.profiles[0], world.profiles[1], new], changed: [world.profiles[1]])
        #expect(world.cache.published.ready(world.profiles[0])?.accessKeyID == "ASIATEST0")
        #expect(world.cache.published.ready(world.profiles[1]) == nil)
        #expect(world.cache.published.ready(world.profiles[2]) == nil)
        #expect(await world.cache.status(of: world.profiles[2]) == nil)
        #expect(await world.caller(world.profiles[2]).value.failure?.code == .unknownProfile)
        #expect(try await world.ask(world.profiles[1]) == "ASIATEST3")
        #expect(try await world.ask(new) == "ASIATEST4")
        await world.end()
    }

    @Test("A reload while sessions are under way: each waiter gets what the new configuration says")
    func reloadInFlight() async throws {
        let world = try CredentialWorld("same", "changed", "removed")
        world.source.script { _, number in .init(isHeld: number < 3, outcome: .session(3600)) }
        var callers: [Task<Result<String, Problem>, Never>] = []
        for (index, profile) in world.profiles.enumerated() {
            callers.append(world.caller(profile))
            try await until { world.source.held > index }
        }
        await world.cache.replace([world.profiles[0], world.profiles[1]], changed: [world.profiles[1]])
        #expect(await callers[1].value == .success("ASIATEST3"))
        #expect(await callers[2].value.failure?.code == .unknownProfile)
        for _ in 0..<3 { world.source.release() }
        #expect(await callers[0].value == .success("ASIATEST0"))
        try await until { world.source.isQuiet }
        #expect(try await world.ask(world.profiles[1]) == "ASIATEST3")
        await world.end()
    }

    @Test("A reload asks again what was refused, once, and keeps the pauses of the network")
    func reloadAfterFailure() async throws {
        let world = try CredentialWorld("refused", "throttled")
        let refused = world.profiles[0]
        world.source.script { profile, _ in
            ScriptedSource.Step(outcome: .failure(profile == refused ? .denied : .throttled(300)))
        }
        for profile in world.profiles { _ = await world.caller(profile).value }
        await world.cache.replace(Set(world.profiles), changed: [])
        for profile in world.profiles { _ = await world.caller(profile).value }
        for profile in world.profiles { _ = await world.caller(profile).value }
        #expect(world.source.attempts.map(\.profile) == [refused, world.profiles[1], refused])
        await world.end()
    }

    @Test("The end answers all who wait, stores nothing, and serves no one")
    func stop() async throws {
        let world = try CredentialWorld("one", "two")
        _ = try await world.ask(world.profiles[1])
        world.source.hold(then: .session(3600))
        let caller = world.caller()
        try await until { world.source.count == 2 }
        await world.end()
        #expect(await caller.value.failure?.code == .shuttingDown)
        world.source.release()
        try await until { world.source.isQuiet }
        for profile in world.profiles {
            #expect(world.cache.published.ready(profile) == nil)
            #expect(await world.caller(profile).value.failure?.code == .shuttingDown)
        }
        #expect(world.source.count == 2)
    }

    @Test("A cancelled keeper stops the cache")
    func cancelledKeeper() async throws {
        let world = try CredentialWorld()
        await world.end()
        let clock = CredentialClock()
        let cache = CredentialCache(
            profiles: [world.profile], source: world.source,
            settings: CacheSettings(clock: clock.agentClock, render: { _ in [] }))
        let keeper = Task { await cache.run() }
        try await until { clock.sleeping > 0 }
        keeper.cancel()
        await keeper.value
        let problem = await #expect(throws: Problem.self) { try await cache.credentials(for: world.profile) }
        #expect(problem?.code == .shuttingDown)
    }

    @Test("Nothing that prints credentials shows them")
    func redaction() async throws {
        let world = try CredentialWorld()
        let credentials = try await world.cache.credentials(for: world.profile)
        #expect(credentials.body == Array("ASIATEST0".utf8))
        #expect("\(credentials)" == "‹redacted›")
        #expect(String(reflecting: credentials) == "‹redacted›")
        var dumped = ""
        dump(credentials, to: &dumped)
        #expect(!dumped.contains("ASIA"))
        await world.end()
    }
}
