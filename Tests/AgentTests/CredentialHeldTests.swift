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
}
