import AgentAPI
import Testing

@testable import Agent

@Suite("When a new session takes a person's touch or PIN")
struct CredentialGestureTests {
    @Test("Nothing is refreshed in the background, and the first caller below 20 minutes asks for it")
    func onDemand() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.needPerson(true)
        try await world.advance(Int64(40).minutes)
        #expect(try await world.ask() == "ASIATEST0")  // 20 minutes are left: enough
        #expect(world.source.count == 1)
        try await world.advance(1)
        #expect(try await world.ask() == "ASIATEST1")
        #expect(world.source.attempts.map(\.occasion) == [.request, .request])
        await world.end()
    }

    @Test("Status plans no attempt, and tells when the next caller will cause one")
    func status() async throws {
        let world = try CredentialWorld()
        #expect(try await world.status().nextNeeded == nil)
        _ = try await world.ask()
        let end = try #require(try await world.status().expiration)
        #expect(try await world.status().nextAttempt != nil)
        world.source.needPerson(true)
        #expect(try await world.status().nextAttempt == nil)
        #expect(try await world.status().nextNeeded == end - 20 * 60)
        try await world.advance(Int64(45).minutes)
        #expect(try await world.status().nextNeeded == world.clock.wall / 1000)
        await world.end()
    }

    @Test("Refreshes in the background begin again when the signature needs no person any more")
    func backAgain() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.needPerson(true)
        try await world.advance(Int64(38).minutes)
        #expect(world.source.count == 1)
        world.source.needPerson(false)
        try await world.advance(Int64(1).minutes)
        #expect(world.source.attempts.map(\.occasion) == [.request, .background])
        await world.end()
    }

    @Test("While a touch is waited for, callers get the session that is held, and one touch serves all")
    func whileWaiting() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.needPerson(true)
        try await world.advance(Int64(45).minutes)
        world.source.hold(then: .session(3600))
        let callers = (0..<100).map { _ in world.caller() }
        try await world.untilWaiting(100)
        try await world.advance(Int64(5).seconds)
        for caller in callers { #expect(await caller.value == .success("ASIATEST0")) }
        #expect(world.source.count == 2)
        world.source.release()
        try await world.settle()
        #expect(try await world.ask() == "ASIATEST1")
        await world.end()
    }

    @Test("A session without requests lapses without a touch")
    func lapses() async throws {
        let world = try CredentialWorld()
        _ = try await world.ask()
        world.source.needPerson(true)
        try await world.advance(Int64(24).hours)
        #expect(world.source.count == 1)
        await world.end()
    }
}
