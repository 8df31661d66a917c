import AgentAPI
import STS
import Testing

@testable import Agent

@Suite("Whose attempts get the MFA code that a caller has brought")
struct CredentialCodeTests {
    private let world: CredentialWorld
    private let own, spare, top: ProfileName

    init() throws {
        world = try CredentialWorld("own", "spare", "top", bases: ["top": "own"], fallbacks: ["own": ["spare"]])
        (own, spare, top) = (world.profiles[0], world.profiles[1], world.profiles[2])
    }

    private func refresh(_ profile: ProfileName) async throws {
        let code = BroughtCode(try MFACode(Array("123456".utf8).span))
        _ = await BroughtCode.$current.withValue(code) { await world.refresher(profile).value }
    }

    private var withCode: [ProfileName] { world.source.attempts.filter(\.hasCode).map(\.profile) }

    @Test("That of the profile, and that of the profile whose session it is made of")
    func chain() async throws {
        try await refresh(own)
        #expect(withCode == [own])
        await world.cache.drop()
        try await refresh(top)
        #expect(withCode == [own, own, top])
        await world.end()
    }

    @Test("Not that of a fallback, which has another device")
    func fallback() async throws {
        world.source.script { [own] profile, _ in .init(outcome: profile == own ? .failure(.down) : .session(3600)) }
        try await refresh(top)
        #expect(world.source.attempts.map(\.profile) == [own, spare, top])
        #expect(withCode == [own, top])
        await world.end()
    }

    @Test("Not that of a fallback which other callers turn to as the attempt ends")
    func others() async throws {
        world.source.script { [own] profile, _ in
            .init(isHeld: profile == own, outcome: profile == own ? .failure(.down) : .session(3600))
        }
        async let refreshed: Void = refresh(own)
        try await world.untilWaiting(1, for: own)
        let other = world.caller(own)
        try await world.untilWaiting(2, for: own)
        world.source.release()
        try await refreshed
        #expect(await other.value.failure == nil)
        #expect(world.source.attempts.map(\.profile) == [own, spare])
        #expect(withCode == [own])
        await world.end()
    }

    @Test("A caller who brings one while it is found out that there is none has another attempt, once")
    func meanwhile() async throws {
        world.source.hold(then: .failure(.codeNeeded))
        let other = world.caller(own)
        try await world.untilWaiting(1, for: own)
        async let refreshed: Void = refresh(own)
        try await world.untilWaiting(2, for: own)
        world.source.release()
        world.source.release()
        try await refreshed
        #expect(await other.value.failure?.code == .mfaNeeded)
        #expect(world.source.attempts.map(\.profile) == [own, own])
        #expect(world.source.attempts.map(\.hasCode) == [false, true])
        await world.end()
    }
}
