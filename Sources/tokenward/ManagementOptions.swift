import AgentClient
import ArgumentParser
import Glibc
import LockedMemory

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
        try send(given: pinStdin ? PINEntry.fromStandardInput() : nil) { (pin) throws(ClientFailure) in
            try ChangeRequest.management(path, members, pin: pin)
        }
    }

    /// Sends the request that `make` puts together around a PIN, or without one: it is called again where a person is asked.
    ///
    /// - Parameter given: A PIN that has been read already.
    func send(
        given pin: consuming PINEntry?, _ make: (consuming PINEntry?) throws(ClientFailure) -> SecretBuffer
    ) throws -> AgentExchange {
        do throws(ClientFailure) {
            return try send(make(pin))
        } catch {
            guard !pinStdin, error.code == "pin-needed", isatty(STDIN_FILENO) == 1 else { throw error }
        }
        return try send(make(PINPrompt.ask("PIN of the token: ")))
    }

    private func send(_ request: consuming SecretBuffer) throws(ClientFailure) -> AgentExchange {
        try request.withBytes { (bytes) throws(ClientFailure) in
            try agent.send(bytes, atLeast: Self.patience)
        }
    }
}
