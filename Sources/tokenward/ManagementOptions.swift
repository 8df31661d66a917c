import AgentClient
import ArgumentParser
import Glibc

/// How a management command logs in: with the PIN that the agent's configuration names, one on standard input, or one that
/// a person types.
struct ManagementOptions: ParsableArguments {
    @OptionGroup var agent: AgentOptions

    @Flag(help: "Read the PIN from standard input: one line.")
    var pinStdin = false

    /// Milliseconds that a token may take for a change, and a little more: some cards compute an RSA key for a minute.
    private static let patience: Int64 = 200_000

    /// Sends a management command, and returns an answer of status 2xx.
    ///
    /// Where the token needs its PIN and the agent could ask nobody for it, the person is asked on this terminal.
    func send(_ path: String, _ members: [(name: String, value: String)]) throws -> AgentExchange {
        guard !pinStdin else { return try send(path, members, pin: PINEntry.fromStandardInput()) }
        do throws(ClientFailure) {
            return try send(path, members, pin: nil)
        } catch {
            guard error.code == "pin-needed", isatty(STDIN_FILENO) == 1 else { throw error }
        }
        return try send(path, members, pin: PINPrompt.ask("PIN of the token: "))
    }

    private func send(
        _ path: String, _ members: [(name: String, value: String)], pin: consuming PINEntry?
    ) throws(ClientFailure) -> AgentExchange {
        let request = try ChangeRequest.management(path, members, pin: pin)
        var exchange: AgentExchange?
        try request.withBytes { (bytes) throws(ClientFailure) in
            exchange = try agent.send(bytes, atLeast: Self.patience)
        }
        guard let exchange = exchange.take() else { throw .badAnswer("there is none") }
        return exchange
    }
}
