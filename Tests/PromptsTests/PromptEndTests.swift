import Clocks
import Logging
import PKCS11URI
import Testing
import TokenService

@testable import Prompts

struct PromptEndTests {
    /// Would be seen, and never answers.
    private struct Unasked: Pinentry {
        func ask(
            _ question: PromptQuestion, at place: PromptPlace, program: String, home: String?, seconds: Int,
            clock: AgentClock
        ) async -> PromptAnswer {
            Issue.record("a person is asked by an agent that ends")
            return .failed("")
        }

        func end() {}
    }

    @Test("An agent that ends asks nobody any more") func end() async throws {
        let prompts = Prompts(
            settings: PromptSettings(program: "/bin/true"), home: nil, pinentry: { Unasked() }, clock: .system,
            log: Logger(label: "prompts", factory: { _ in SwiftLogNoOpLogHandler() }))
        let asking = try #require(
            Asking(uid: 1, agentUID: 1, processID: 0, header: Array("DISPLAY=:0".utf8), isExplicit: true))
        let purpose = try #require(LoginPurpose(asking))
        let key = TokenKey(
            module: ModuleIdentity(path: "/module.so"),
            token: TokenDescription(label: [0x41], manufacturer: [], model: [], serial: []))
        await prompts.end()
        let answer = await prompts.ask(for: PromptedToken(key, flags: [], module: "/module.so"), purpose, after: nil)
        let isCancelled = if case .declined(.cancelled) = answer { true } else { false }
        #expect(isCancelled)
    }
}
