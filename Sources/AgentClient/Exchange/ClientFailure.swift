#if !hasFeature(Embedded)
    package import Outcomes
#endif

/// Why a client of the agent ends without a result: what happened, what to do about it, and the exit code.
package struct ClientFailure: Error {
    package let exit: ExitCode
    /// One line without a final period. It may quote what the agent sent: print it through `PlainText.terminal`.
    package let detail: String
    package let hint: String

    package init(_ exit: ExitCode, _ detail: String, hint: String) {
        self.exit = exit
        self.detail = detail
        self.hint = hint
    }

    /// The agent said something that it never says.
    package static func badAnswer(_ what: String) -> ClientFailure {
        ClientFailure(
            .software, "the agent's answer makes no sense: \(what)",
            hint: "check that the agent and this program have the same version")
    }

    package static func timeout(_ deadline: Deadline) -> ClientFailure {
        ClientFailure(
            .temporaryFailure, "the agent did not answer within \(deadline.text) seconds",
            hint: "look whether a token waits for a touch or a PIN, and try again")
    }
}
