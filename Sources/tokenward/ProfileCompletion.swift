import AgentAPI
import AgentClient
import ArgumentParser

/// The names of profiles, for the shell to complete.
enum ProfileCompletion {
    static let kind = CompletionKind.custom { _, _, beginning in
        do throws(ClientFailure) {
            return try names().filter { $0.hasPrefix(beginning) }
        } catch {
            return []  // without an agent there is nothing to complete
        }
    }

    /// The agent answers this without touching a token, so that completion neither prompts nor waits. A name that could
    /// not be a profile's never reaches the shell.
    private static func names() throws(ClientFailure) -> [String] {
        let exchange = try AgentExchange(
            AgentRequest.get("/v1/profiles").span, to: AgentEndpoint(option: nil),
            deadline: Deadline(afterMilliseconds: 1000), limit: 1024 * 1024)
        try exchange.checkStatus()
        let profiles = try exchange.decode([ProfileStatus].self)
        return profiles.map(\.name).filter { (try? ProfileArgument($0.utf8)) != nil }
    }
}
