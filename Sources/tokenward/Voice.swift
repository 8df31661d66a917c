import AgentClient
import Glibc
import PlainText

/// How the command line speaks: results on standard output, all else on standard error.
enum Voice {
    /// Whether a person looks at the results.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// The width of the terminal; without bounds where it does not say.
    static var columns: Int {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return .max }
        return Int(size.ws_col)
    }

    /// A result that is our own text; a line end is added where it has none.
    static func result(_ text: String) throws(ClientFailure) {
        guard !text.isEmpty else { return }
        try StandardStream.output.write(text.last == "\n" ? text : text + "\n")
    }

    /// A remark that is no result.
    static func remark(_ text: String) {
        tell("tokenward: \(PlainText.terminal(text))\n")
    }

    static func end(_ failure: ClientFailure) -> Never {
        tell(
            """
            tokenward: error: \(PlainText.terminal(failure.detail))
            tokenward: hint: \(PlainText.terminal(failure.hint))

            """)
        exit(failure.exit.rawValue)
    }

    private static func tell(_ text: String) {
        try? StandardStream.error.write(text)  // without standard error the exit code is all that is left
    }
}
