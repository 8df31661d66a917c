import AgentAPI
import Prompts
import Testing

@testable import Agent

@Suite("Callers who can be asked for a PIN")
struct CredentialPromptTests {
    private static func asking(isExplicit: Bool = false) -> Asking? {
        Asking(
            uid: 1, agentUID: 1, processID: 1, header: Array("DISPLAY=:0".utf8), isExplicit: isExplicit)
    }

    @Test(
        "An attempt that could ask no person does not hinder a caller who can be asked",
        arguments: [.pinNeeded, .codeNeeded] as [Problem])
    func nobodyBefore(problem: Problem) async throws {
        let world = try CredentialWorld()
        world.source.always(.failure(problem))
        for _ in 0..<3 { #expect(await world.caller().value.failure?.code == problem.code) }
        #expect(world.source.count == 1)
        await Asking.$current.withValue(Self.asking()) {
            for _ in 0..<3 { #expect(await world.caller().value.failure?.code == problem.code) }
            #expect(world.source.count == 2)
            world.source.always(.session(3600))
            #expect(await world.caller().value.failure?.code == problem.code)
            await Asking.$current.withValue(Self.asking(isExplicit: true)) {
                #expect(await world.refresher().value.failure == nil)
            }
            #expect(world.source.count == 3)
        }
        await world.end()
    }

    @Test("A caller who can be asked, and joins an attempt that could ask no person, gets an attempt of their own")
    func joining() async throws {
        let world = try CredentialWorld()
        world.source.script { _, number in
            number == 0
                ? .init(isHeld: true, outcome: .failure(.pinNeeded)) : .init(outcome: .session(3600))
        }
        let first = world.caller()
        try await world.untilWaiting(1)
        let second = Asking.$current.withValue(Self.asking()) { world.caller() }
        try await world.untilWaiting(2)
        world.source.release()
        #expect(await second.value.failure == nil)
        #expect(await first.value.failure == nil)
        #expect(world.source.count == 2)
        await world.end()
    }

    @Test("A refresh in the background asks no person")
    func background() async throws {
        let world = try CredentialWorld()
        _ = try await Asking.$current.withValue(Self.asking()) { try await world.ask() }
        world.source.always(.failure(.pinNeeded))
        try await world.advance(Int64(1).hours - Int64(5).minutes)
        #expect(world.source.count == 2)
        #expect(try await world.ask() == "ASIATEST0")  // still good for some minutes, and nobody new to ask
        #expect(world.source.count == 2)
        // One who can be asked is, before it is too late, and gets what is left meanwhile.
        world.source.always(.session(3600))
        let last = try await Asking.$current.withValue(Self.asking()) { try await world.ask() }
        #expect(last == "ASIATEST2")
        await world.end()
    }
}
