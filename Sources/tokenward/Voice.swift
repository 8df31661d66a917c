import AgentClient
import Glibc

/// How the command line speaks: results on standard output, all else on standard error.
enum Voice {
    /// Whether a person looks at the results.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// A result that is our own text; a line end is added where it has none.
    static func result(_ text: String) throws(ClientFailure) {
        guard !text.isEmpty else { return }
        try StandardStream.output.write(text.last == "\n" ? text : text + "\n")
    }

    /// A remark that is no result.
    static func remark(_ text: String) {
        tell("tokenward: \(TerminalText.safe(text))\n")
    }

    static func end(_ failure: ClientFailure) -> Never {
        tell(
            """
            tokenward: error: \(TerminalText.safe(failure.detail))
            tokenward: hint: \(TerminalText.safe(failure.hint))

            """)
        exit(failure.exit.rawValue)
    }

    private static func tell(_ text: String) {
        try? StandardStream.error.write(text)  // without standard error the exit code is all that is left
    }
}
