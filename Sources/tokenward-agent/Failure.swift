import AgentAPI
import ArgumentParser
import Glibc

/// A reason to end before serving: its lines on standard error, and an exit code of the table.
struct Failure: Error {
    let code: AgentAPI.ExitCode
    let text: String

    init(_ code: AgentAPI.ExitCode, _ text: String) {
        self.code = code
        self.text = text
    }
}
