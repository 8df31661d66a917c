import AgentAPI
import Prompts
import Testing

@testable import Agent

@Suite("Requests of other users that may have no person act")
struct CredentialForeignTests {
    @Test("Where a person is known to be needed, no attempt is made, and none is used up")
    func known() async throws {
        let world = try CredentialWorld()
        let refusal = CredentialCache.needsOwner(world.profile)
        world.source.needPerson(true)
        await Gestures.$areAllowed.withValue(false) {
            for _ in 1...100 {
                #expect(await world.caller().value.failure == refusal)
                #expect(await world.refresher().value.failure == refusal)
            }
        }
        #expect(world.source.count == 0)
        #expect(try await world.ask() == "ASIATEST0")
        let other = try await Gestures.$areAllowed.withValue(false) { try await world.ask() }
        #expect(other == "ASIATEST0")
        #expect(world.source.attempts.map(\.occasion) == [.request])
        await world.end()
    }

    @Test("For a minute after such a refusal the tokens are looked at, which may be others by then")
    func waiting() async throws {
        let world = try CredentialWorld()
        world.source.needPerson(true)
        #expect(await world.cache.waitsForTokens == false)
        _ = await Gestures.$areAllowed.withValue(false) { await world.caller().value }
        #expect(await world.cache.waitsForTokens)
        try await world.advance(Int64(1).minutes)
        #expect(await world.cache.waitsForTokens == false)
        await world.end()
    }

    @Test("A profile waits for a token that is gone, and not for one that is locked: its unlock tells")
    func locked() async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(Problem(.locked, "token prod is locked")))
        #expect(await world.caller().value.failure?.code == .locked)
        #expect(await world.cache.waitsForTokens == false)
        await world.cache.stateChanged()
        world.source.always(.failure(Problem(.tokenGone, "token prod is gone")))
        #expect(await world.caller().value.failure?.code == .tokenGone)
        #expect(await world.cache.waitsForTokens)
        await world.end()
    }

    @Test("Where it is not known whether a person is needed, the attempt asks none, and is forgotten")
    func unknown() async throws {
        let world = try CredentialWorld()
        let refusal = CredentialCache.needsOwner(world.profile)
        world.source.always(.failure(refusal))
        await Gestures.$areAllowed.withValue(false) {
            #expect(await world.caller().value.failure == refusal)
            #expect(await world.refresher().value.failure == refusal)
        }
        #expect(world.source.attempts.map(\.occasion) == [.foreign, .foreign])
        world.source.always(.session(3600))
        #expect(await world.refresher().value.failure == nil)
        #expect(world.source.attempts.map(\.occasion) == [.foreign, .foreign, .demand])
        await world.end()
    }

    @Test("The owner who joins another user's attempt gets one that may have a person act, and both get its session")
    func joining() async throws {
        let world = try CredentialWorld()
        let refusal = CredentialCache.needsOwner(world.profile)
        world.source.script { _, number in
            number == 0
                ? .init(isHeld: true, outcome: .failure(refusal)) : .init(outcome: .session(3600))
        }
        let other = Gestures.$areAllowed.withValue(false) { world.caller() }
        try await world.untilWaiting(1)
        let owner = world.caller()
        try await world.untilWaiting(2)
        world.source.release()
        #expect(await owner.value.failure == nil)
        #expect(await other.value.failure == nil)
        #expect(world.source.attempts.map(\.occasion) == [.foreign, .request])
        await world.end()
    }

    @Test("Another user joins the owner's attempt")
    func joined() async throws {
        let world = try CredentialWorld()
        world.source.needPerson(true)
        world.source.hold(then: .session(3600))
        let owner = world.caller()
        try await world.untilWaiting(1)
        let other = Gestures.$areAllowed.withValue(false) { world.caller() }
        try await world.untilWaiting(2)
        world.source.release()
        #expect(await owner.value.failure == nil)
        #expect(await other.value.failure == nil)
        #expect(world.source.attempts.map(\.occasion) == [.request])
        await world.end()
    }

    @Test("Credentials that are still good are handed to another user where a better session takes a person")
    func fallback() async throws {
        let world = try CredentialWorld()
        #expect(try await world.ask() == "ASIATEST0")
        world.source.needPerson(true)
        try await world.advance(Int64(1).hours - Int64(5).minutes)
        let other = try await Gestures.$areAllowed.withValue(false) { try await world.ask() }
        #expect(other == "ASIATEST0")
        #expect(world.source.count == 1)
        await world.end()
    }
}
