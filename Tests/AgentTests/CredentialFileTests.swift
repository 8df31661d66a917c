import AgentAPI
import Testing

@testable import Agent

@Suite("Files on a mount that hangs")
struct CredentialFileTests {
    private let world: CredentialWorld
    private let first, second: ProfileName

    init() throws {
        world = try CredentialWorld("first", "second")
        (first, second) = (world.profiles[0], world.profiles[1])
    }

    private func attempts(of profile: ProfileName) -> Int { world.source.attempts.count { $0.profile == profile } }

    @Test("The files of one profile's refusal stop no refresh of another in the background")
    func others() async throws {
        world.source.script { [first] profile, _ in
            .init(outcome: profile == first ? .failure(.denied) : .session(3600))
        }
        _ = await world.caller(first).value
        world.source.hang(first)
        for _ in 1...4 {
            _ = try await world.ask(second)
            try await world.advance(Int64(30).minutes)
        }
        #expect(attempts(of: second) > 3)
        #expect(
            world.source.attempts.filter { $0.profile == second }.dropFirst().allSatisfy { $0.occasion == .background })
        world.source.hang(first, false)
        await world.end()
    }

    @Test("A caller is told of the refusal, and an attempt begins, within a second, and only one look hangs after that")
    func own() async throws {
        world.source.hang(first)
        let caller = world.caller(first)
        try await until { world.source.hungLooks(first) == 1 }
        try await world.advance(Int64(1).seconds)
        #expect(await caller.value.failure == nil)
        world.source.always(.failure(.denied))
        for _ in 1...5 { #expect(await world.refresher(first).value.failure?.code == .awsDenied) }
        await world.cache.drop()
        for _ in 1...5 { #expect(await world.caller(first).value.failure?.code == .awsDenied) }
        #expect(world.source.hungLooks(first) <= 2)  // one of callers, and the keeper's
        world.source.hang(first, false)
        await world.end()
    }

    @Test("A refusal that was made while the files hung is looked into once they hang no longer")
    func afterwards() async throws {
        world.source.hang(first)
        world.source.always(.failure(.denied))
        let caller = world.caller(first)
        try await until { world.source.hungLooks(first) == 1 }
        try await world.advance(Int64(1).seconds)
        #expect(await caller.value.failure?.code == .awsDenied)
        world.source.always(.session(3600))
        world.source.hang(first, false)
        try await world.settle()
        #expect(await world.caller(first).value.failure == nil)
        await world.end()
    }
}
