import AgentAPI
import Dispatch
import Prompts
import Synchronization
import Testing

@testable import Agent

@Suite("Profiles whose place another one takes while they are down")
struct CredentialFallbackTests {
    private let world: CredentialWorld
    private let own, first, second, top: ProfileName

    init() throws {
        world = try CredentialWorld(
            "own", "first", "second", "top", bases: ["top": "own"], fallbacks: ["own": ["first", "second"]])
        (own, first, second, top) = (world.profiles[0], world.profiles[1], world.profiles[2], world.profiles[3])
    }

    /// What attempts on these profiles end with; all others give sessions.
    private func fail(_ problems: [ProfileName: Problem]) {
        world.source.script { profile, _ in .init(outcome: problems[profile].map { .failure($0) } ?? .session(3600)) }
    }

    private func attempts(of profile: ProfileName) -> Int { world.source.attempts.count { $0.profile == profile } }

    private func profile(of key: String) -> ProfileName? {
        ScriptedSource.number(of: key).flatMap { world.source.attempt($0)?.profile }
    }

    @Test(
        "A fallback is tried where the service or the token is down",
        arguments: [
            Problem.down, .throttled(1), Problem(.tokenGone, "the token is gone"),
            Problem(.noToken, "no token matches"),
        ])
    func isDown(_ problem: Problem) async throws {
        fail([own: problem])
        #expect(profile(of: try await world.ask(own)) == first)
        #expect(try await world.status(own).standIn == first)
        await world.end()
    }

    @Test(
        "No fallback is tried where the service has refused, the token waits for a person, or we are at fault",
        arguments: [
            Problem.denied, .pinNeeded, .untouched, .unusable(until: nil), Problem(.pinBlocked, "blocked"),
            Problem(.pinIncorrect, "wrong"), Problem(.locked, "locked"), Problem(.configuration, "wrong"),
            Problem(.awsRejected, "no"), Problem(.awsAnswerInvalid, "what"), Problem(.clockSkew, "late"),
        ])
    func isNotDown(_ problem: Problem) async throws {
        fail([own: problem])
        #expect(await world.caller(own).value.failure?.code == problem.code)
        #expect(world.source.attempts.map(\.profile) == [own])
        await world.end()
    }

    @Test("The fallbacks are tried in order, and where all fail the profile's own failure is told")
    func order() async throws {
        fail([own: .down, first: .denied])
        #expect(profile(of: try await world.ask(own)) == second)
        #expect(world.source.attempts.map(\.profile) == [own, first, second])
        fail([own: .down, first: .denied, second: .denied])
        await world.cache.drop()
        #expect(await world.caller(own).value.failure?.code == .awsUnavailable)
        await world.end()
    }

    @Test("Sessions that are held come first, as long as they can be handed out")
    func held() async throws {
        _ = try await world.ask(own)
        fail([own: .down])
        try await world.advance(Int64(50).minutes)
        #expect(profile(of: try await world.ask(own)) == own)
        try await world.advance(Int64(10).minutes)
        #expect(profile(of: try await world.ask(own)) == first)
        await world.end()
    }

    @Test("10,000 callers cost one attempt on the profile, and one on its fallback")
    func tenThousand() async throws {
        world.source.script { [own] profile, _ in
            .init(isHeld: profile == own, outcome: profile == own ? .failure(.down) : .session(3600))
        }
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<10_000 { group.addTask { try await world.ask(own) } }
            try await world.untilWaiting(10_000, for: own)
            world.source.release()
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(keys == ["ASIATEST1"])
        #expect(world.source.attempts.map(\.profile) == [own, first])
        await world.end()
    }

    @Test("Whoever asks for a profile that is down has an answer at once, and the profile is back when it is up again")
    func back() async throws {
        fail([own: .down])
        _ = try await world.ask(own)
        var asked = 0
        for _ in 1...60 {
            try await world.advance(Int64(1).minutes)
            let before = world.clock.boot
            #expect(profile(of: try await world.ask(own)) == first)
            #expect(world.clock.boot == before)
            asked += 1
        }
        try await world.settle()
        #expect(attempts(of: own) > 8)
        #expect(attempts(of: own) < 60)
        fail([:])
        try await world.advance(Int64(5).minutes)
        _ = try await world.ask(own)
        try await world.settle()
        #expect(profile(of: try await world.ask(own)) == own)
        #expect(try await world.status(own).standIn == nil)
        await world.end()
    }

    @Test("A lock of the fallback withdraws its sessions from the profile's callers, and leaves the profile its own")
    func lock() async throws {
        fail([own: .down])
        _ = try await world.ask(own)
        world.source.setLocked([first])
        #expect(await world.cache.lock([first]) == [first, own])
        #expect(profile(of: try await world.ask(own)) == second)
        fail([:])
        await world.unlock()
        try await world.advance(Int64(5).minutes)
        _ = try await world.ask(own)
        try await world.settle()
        let key = try await world.ask(own)
        #expect(profile(of: key) == own)
        await world.cache.lock([first])
        #expect(try await world.ask(own) == key)
        await world.end()
    }

    @Test("What was made of a fallback's session goes with a lock of the fallback")
    func lockOfBase() async throws {
        fail([own: .down])
        let session = try await world.cache.credentials(for: top)
        #expect(session.profiles == [top, first])
        #expect(await world.cache.lock([first]) == [first, own, top])
        #expect(!world.cache.published.holds(top))
        await world.end()
    }

    @Test("A reload that takes a fallback away drops what was made of its session")
    func reload() async throws {
        fail([own: .down])
        _ = try await world.ask(top)
        let profiles = Set(world.profiles)
        await world.cache.replace(profiles, routes: world.routes, changed: [])
        #expect(world.cache.published.holds(top))
        let fewer = ProfileRoutes(bases: [top: own], fallbacks: [own: [second]])
        await world.cache.replace(profiles.subtracting([first]), routes: fewer, changed: [])
        #expect(!world.cache.published.holds(top))
        #expect(try await world.status(own).standIn == nil)
        await world.end()
    }

    @Test("What was refused to the session of a fallback is asked again with the profile's own")
    func refusal() async throws {
        fail([own: .down, top: .denied])
        for _ in 1...3 { #expect(await world.caller(top).value.failure?.code == .awsDenied) }
        #expect(world.source.attempts.map(\.profile) == [own, first, top])
        fail([:])
        try await world.advance(Int64(10).seconds)
        _ = try await world.ask(own)
        try await world.settle()
        #expect(profile(of: try await world.ask(own)) == own)
        #expect(profile(of: try await world.ask(top)) == top)
        await world.end()
    }

    @Test("A lock of the fallback tells no caller of a profile that is made of it that this is locked")
    func lockWhileMade() async throws {
        world.source.script { [own, top] profile, number in
            .init(isHeld: profile == top && number == 2, outcome: profile == own ? .failure(.down) : .session(3600))
        }
        let caller = world.caller(top)
        try await until { world.source.held == 1 }
        await world.lock([first])
        #expect(try await world.cache.credentials(for: top).profiles == [top, second])
        #expect(await caller.value.failure == nil)
        world.source.release()
        await world.end()
    }

    @Test("A session of a fallback that is dropped before it signs does not sign")
    func dropBeforeUse() async throws {
        let isRendering = Atomic(false)
        let isQueued = DispatchSemaphore(value: 0)
        let source = world.source
        source.script { [own, first] profile, number in
            .init(isHeld: profile == first && number == 1, outcome: profile == own ? .failure(.down) : .session(3600))
        }
        let cache = CredentialCache(
            profiles: Set(world.profiles), routes: world.routes, source: source,
            settings: CacheSettings(
                clock: world.clock.agentClock,
                render: { [first] session in
                    if source.last(first)?.accessKeyID == session.accessKeyID, session.accessKeyID == "ASIATEST1" {
                        isRendering.store(true, ordering: .releasing)
                        isQueued.wait()
                    }
                    return Array(session.accessKeyID.utf8)
                }))
        let caller = Task { try await cache.credentials(for: top) }
        try await until { source.held == 1 }
        source.release()
        try await until { isRendering.load(ordering: .acquiring) }
        // The actor is at work on the session, so the drop comes right after that.
        let drop = Task.immediate { await cache.drop([first]) }
        isQueued.signal()
        _ = await drop.value
        _ = try await caller.value
        #expect(source.attempts.filter { $0.profile == top }.map(\.base) != [1])
        await cache.stop()
        await world.end()
    }
}
