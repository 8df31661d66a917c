import AgentAPI
import Testing

@testable import Agent

@Suite("What endpoints get at once")
struct CredentialHeldTests {
    private func held(_ world: CredentialWorld) async -> Result<String, Problem> {
        do throws(Problem) {
            return .success(try await world.cache.held(for: world.profile).accessKeyID)
        } catch { return .failure(error) }
    }

    @Test("Without a session the answer is that it comes, and one attempt begins that has no person act")
    func cold() async throws {
        let world = try CredentialWorld()
        world.source.hold(then: .session(3600))
        for _ in 1...100 { #expect(await held(world).failure == CredentialCache.notYet(world.profile)) }
        try await until { world.source.count == 1 }
        world.source.release()
        try await until { await held(world).failure == nil }
        #expect(world.source.attempts.map(\.occasion) == [.foreign])
        await world.end()
    }

    @Test("Where a person is needed, no attempt is made, and none is used up") func person() async throws {
        let world = try CredentialWorld()
        world.source.needPerson(true)
        for _ in 1...100 { #expect(await held(world).failure == CredentialCache.needsPerson(world.profile)) }
        #expect(world.source.count == 0)
        #expect(await world.cache.waitsForTokens)
        await world.end()
    }

    @Test("What is still valid is given while it is renewed, and where that fails") func due() async throws {
        let world = try CredentialWorld()
        #expect(try await world.ask() == "ASIATEST0")
        world.source.always(.failure(Problem(.awsUnavailable, "AWS does not answer")))
        try await world.advance(Int64(58).minutes)
        #expect(try await held(world).get() == "ASIATEST0")
        try await world.advance(Int64(2).minutes)
        #expect(await held(world).failure == CredentialCache.notYet(world.profile))
        try await world.settle()
        #expect(try #require(await held(world).failure).code == .awsUnavailable)
        await world.end()
    }

    @Test("A locked profile has none, and no attempt is made") func locked() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        await world.lock()
        #expect(await held(world).failure == CredentialCache.locked(world.profile))
        #expect(world.source.count == 1)
        await world.end()
    }

    @Test("While a profile is down its fallback's session is given, and obtained where there is none yet")
    func standIn() async throws {
        let world = try CredentialWorld("own", "first", "second", fallbacks: ["own": ["first", "second"]])
        let (own, first, second) = (world.profiles[0], world.profiles[1], world.profiles[2])
        world.source.script { profile, _ in .init(outcome: profile == own ? .failure(.down) : .session(3600)) }
        #expect(await held(world).failure == CredentialCache.notYet(own))
        try await world.settle()
        #expect(await held(world).failure == CredentialCache.notYet(own))
        try await world.settle()
        let key = try await held(world).get()
        #expect(ScriptedSource.number(of: key).flatMap { world.source.attempt($0)?.profile } == first)
        #expect(try await world.status(own).standIn == first)
        #expect(world.source.attempts.map(\.profile) == [own, first])
        // Where a fallback has none, and why, the next one's.
        world.source.script { profile, _ in .init(outcome: profile == second ? .session(3600) : .failure(.denied)) }
        await world.cache.drop([first])
        for _ in 1...2 {
            _ = await held(world)
            try await world.settle()
        }
        let other = try await held(world).get()
        #expect(ScriptedSource.number(of: other).flatMap { world.source.attempt($0)?.profile } == second)
        // What has been refused is not served by others.
        await world.cache.drop([second])
        try await world.advance(Int64(10).minutes)
        _ = await held(world)
        try await world.settle()
        #expect(try #require(await held(world).failure).code == .awsDenied)
        await world.end()
    }

    @Test("However many are refused, the files are looked at for those to come no more than once a second")
    func looks() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(.pinNeeded))
        try await until { await held(world).failure?.code == .pinNeeded }
        try await world.settle()
        let before = world.source.looks
        for _ in 1...100 { #expect(await held(world).failure?.code == .pinNeeded) }
        try await world.settle()
        #expect(world.source.looks <= before + 1)
        await world.end()
    }
}
