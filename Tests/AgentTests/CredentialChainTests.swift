import AgentAPI
import Prompts
import Testing

@testable import Agent

@Suite("Profiles whose sessions are made of another profile's")
struct CredentialChainTests {
    private let world: CredentialWorld
    private let root, middle, top: ProfileName

    init() throws {
        world = try CredentialWorld("root", "middle", "top", bases: ["middle": "root", "top": "middle"])
        (root, middle, top) = (world.profiles[0], world.profiles[1], world.profiles[2])
    }

    private func attempts(of profile: ProfileName) -> [ScriptedSource.Attempt] {
        world.source.attempts.filter { $0.profile == profile }
    }

    @Test("10,000 cold callers of three hops cost one attempt for each hop")
    func tenThousand() async throws {
        world.source.hold(then: .session(3600))
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<10_000 { group.addTask { try await world.ask(top) } }
            try await world.untilWaiting(10_000, for: top)
            for _ in 1...3 { world.source.release() }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(keys == ["ASIATEST2"])
        #expect(world.source.attempts.map(\.profile) == [root, middle, top])
        #expect(world.source.attempts.map(\.base) == [nil, 0, 1])
        await world.end()
    }

    @Test("Each hop is cached by itself, and says of which profiles it is made")
    func hops() async throws {
        #expect(try await world.ask(middle) == "ASIATEST1")
        #expect(try await world.ask(top) == "ASIATEST2")
        #expect(try await world.ask(root) == "ASIATEST0")
        #expect(try await world.cache.credentials(for: top).profiles == [top, middle, root])
        #expect(world.source.count == 3)
        await world.end()
    }

    @Test("A base with too little time left is refreshed first")
    func shortBase() async throws {
        world.source.script { [root] profile, _ in .init(outcome: .session(profile == root ? 900 : 3600)) }
        _ = try await world.ask(middle)
        try await world.advance(Int64(8).minutes)  // the root has less than half of its time
        _ = try await world.cache.refresh(middle)
        let made = try #require(attempts(of: middle).last?.base)
        let left = try #require(world.source.attempt(made)?.deadline) - world.clock.boot
        #expect(left >= Int64(450).seconds)
        await world.end()
    }

    @Test("A lock of the root withdraws what was made of it, and what is on its way")
    func lock() async throws {
        _ = try await world.ask(top)
        world.source.hold(then: .session(3600))
        let caller = world.refresher(top)
        try await until { world.source.count == 4 }  // the hop's service is asked
        await world.lock([root])
        #expect(await caller.value.failure?.code == .locked)
        for profile in world.profiles { #expect(await world.caller(profile).value.failure?.code == .locked) }
        world.source.release()
        try await world.settle()
        for profile in world.profiles { #expect(!world.cache.published.holds(profile)) }
        await world.unlock()
        world.source.always(.session(3600))
        #expect(try await world.ask(top) == "ASIATEST6")
        await world.end()
    }

    @Test("A dropped root takes along what was made of it, and a dropped hop nothing below it")
    func drop() async throws {
        _ = try await world.ask(top)
        #expect(await world.cache.drop([middle]) == [middle, top])
        #expect(world.cache.published.holds(root))
        #expect(await world.cache.drop([root]) == [root, middle, top])
        #expect(!world.cache.published.holds(root))
        await world.end()
    }

    @Test("A refusal of the root is told to all, by its name, and costs the others no attempt")
    func refusedRoot() async throws {
        world.source.always(.failure(.pinNeeded))
        for _ in 1...100 {
            let problem = try #require(await world.caller(top).value.failure)
            #expect(problem.code == .pinNeeded)
            #expect(problem.parameters[.sourceProfile] == "root")
        }
        #expect(world.source.attempts.map(\.profile) == [root])
        await world.end()
    }

    @Test("A failure of the root is remembered no longer than there")
    func curedRoot() async throws {
        world.source.always(.failure(.pinNeeded))
        _ = await world.caller(top).value
        world.source.always(.session(3600))
        await world.cache.stateChanged()
        #expect(try await world.ask(top) == "ASIATEST3")
        // By its own callers, and after its own pause.
        await world.cache.drop()
        world.source.always(.failure(.down))
        _ = await world.caller(top).value
        world.source.always(.session(3600))
        try await world.advance(1000)
        _ = try await world.ask(root)
        _ = try await world.ask(top)
        #expect(try await world.status(top).lastError == nil)
        await world.end()
    }

    @Test("A hop that is refused does not keep its base from its own callers")
    func refusedHop() async throws {
        world.source.script { [middle] profile, _ in
            .init(outcome: profile == middle ? .failure(.denied) : .session(3600))
        }
        let problem = try #require(await world.caller(top).value.failure)
        #expect(problem.code == .awsDenied)
        #expect(problem.parameters[.sourceProfile] == "middle")
        #expect(try await world.ask(root) == "ASIATEST0")
        #expect(attempts(of: top).isEmpty)
        await world.end()
    }

    /// STS does not take the session of the base.
    private static let notTaken = Problem(.awsDenied, "the security token is invalid", retry: .base)

    @Test("A base keeps its session, and makes no attempt, where the service of a hop does not take it")
    func refusedSession() async throws {
        world.source.always(.session(43_200))
        let held = try await world.ask(root)
        world.source.script { [root] profile, _ in
            .init(outcome: .failure(profile == root ? .untouched : Self.notTaken))
        }
        for _ in 1...60 {
            #expect(await world.caller(middle).value.failure?.code == .awsDenied)
            _ = await Gestures.$areAllowed.withValue(false) { await world.refresher(middle).value }
            #expect(try await world.ask(root) == held)
            try await world.advance(Int64(30).seconds)
        }
        #expect(attempts(of: root).count == 1)
        await world.end()
    }

    @Test("A base whose session took a touch keeps it where a refresh of a hop in the background is refused")
    func refusedInBackground() async throws {
        world.source.needPerson(true)
        world.source.script { [root] profile, _ in .init(outcome: .session(profile == root ? 43_200 : 3600)) }
        _ = try await world.ask(middle)
        world.source.always(.failure(Self.notTaken))
        try await world.advance(Int64(50).minutes)
        #expect(attempts(of: middle).count > 1)
        #expect(try await world.ask(root) == "ASIATEST0")
        await world.end()
    }

    @Test("A hop whose base's session is not taken pauses, and asks at once with the next session of the base")
    func nextSession() async throws {
        world.source.script { [middle] profile, number in
            .init(outcome: profile == middle && number < 3 ? .failure(Self.notTaken) : .session(3600))
        }
        for _ in 1...10 { #expect(await world.caller(middle).value.failure?.retry == .base) }
        #expect(world.source.count == 2)
        #expect(await world.refresher(root).value.failure == nil)
        #expect(try await world.ask(middle) == "ASIATEST3")
        #expect(attempts(of: middle).map(\.base) == [0, 2])
        await world.end()
    }

    @Test("Who waits too long is told for which hop")
    func slowRoot() async throws {
        world.source.hold(then: .session(3600))
        let caller = world.caller(top)
        try await world.untilWaiting(1, for: top)
        try await world.advance(Int64(50).seconds)
        let problem = try #require(await caller.value.failure)
        #expect(problem.code == .tokenBusy)
        #expect(problem.parameters[.sourceProfile] == "root")
        // The attempt goes on.
        for _ in 1...3 { world.source.release() }
        try await world.settle()
        #expect(try await world.ask(top) == "ASIATEST2")
        await world.end()
    }

    @Test("Another user's request makes no person act for the base, and is told so of the profile asked for")
    func foreign() async throws {
        world.source.script { [root] profile, _ in
            .init(outcome: profile == root ? .failure(CredentialCache.needsOwner(root)) : .session(3600))
        }
        let refusal = CredentialCache.needsOwner(top)
        await Gestures.$areAllowed.withValue(false) { #expect(await world.caller(top).value.failure == refusal) }
        #expect(world.source.attempts.map(\.occasion) == [.foreign])
        world.source.always(.session(3600))
        #expect(try await world.ask(top) == "ASIATEST3")
        await world.end()
    }

    @Test("While the root's session lasts, those made of it are refreshed in the background though it takes a touch")
    func touchedRoot() async throws {
        world.source.needPerson(true)
        world.source.script { [root] profile, _ in .init(outcome: .session(profile == root ? 43_200 : 3600)) }
        for _ in 1...10 {
            _ = try await world.ask(top)
            try await world.advance(Int64(30).minutes)
        }
        #expect(attempts(of: root).count == 1)
        #expect(attempts(of: top).count > 5)
        #expect(attempts(of: top).dropFirst().allSatisfy { $0.occasion == .background })
        await world.end()
    }

    @Test("Who missed a touch for the root is asked again for a caller only, not when a hop is refreshed")
    func untouchedRoot() async throws {
        world.source.script { [root] profile, _ in .init(outcome: .session(profile == root ? 900 : 3600)) }
        _ = try await world.ask(middle)
        world.source.script { [root] profile, _ in
            .init(outcome: profile == root ? .failure(.untouched) : .session(3600))
        }
        try await world.advance(Int64(55).minutes)  // both are due
        #expect(attempts(of: root).map(\.occasion) == [.request, .background])
        world.source.always(.session(3600))
        _ = try await world.ask(middle)
        #expect(attempts(of: root).map(\.occasion) == [.request, .background, .request])
        await world.end()
    }

    @Test("A refresh on demand asks again where what is remembered is a refusal of the root, within its share")
    func refusedRootOnDemand() async throws {
        world.source.always(.failure(.denied))
        _ = await world.caller(top).value
        #expect(await world.caller(top).value.failure?.code == .awsDenied)
        #expect(attempts(of: root).count == 1)
        world.source.always(.session(3600))
        #expect(await world.refresher(top).value.failure == nil)
        #expect(world.source.attempts.map(\.profile) == [root, root, middle, top])
        await world.cache.drop()
        try await world.advance(Int64(30).seconds)
        world.source.always(.failure(.denied))
        for _ in 1...100 { #expect(await world.refresher(top).value.failure?.code == .awsDenied) }
        #expect(attempts(of: root).count <= 31)
        await world.end()
    }

    @Test("What is left of a base that takes a touch signs for another user, and for a refresh in the background")
    func dueRoot() async throws {
        world.source.needPerson(true)
        world.source.script { [root] profile, _ in .init(outcome: .session(profile == root ? 3600 : 900)) }
        _ = try await world.ask(middle)
        try await world.advance(Int64(45).minutes)  // the root has 15 minutes left
        await Gestures.$areAllowed.withValue(false) { #expect(await world.caller(middle).value.failure == nil) }
        try await world.advance(Int64(10).minutes)
        #expect(attempts(of: middle).suffix(2).map(\.occasion) == [.foreign, .background])
        #expect(attempts(of: root).count == 1)
        try await world.advance(Int64(30).minutes)
        await Gestures.$areAllowed.withValue(false) {
            #expect(await world.caller(middle).value.failure == CredentialCache.needsOwner(middle))
        }
        #expect(attempts(of: root).count == 1)
        await world.end()
    }
}
