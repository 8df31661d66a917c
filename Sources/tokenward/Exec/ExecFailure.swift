import AgentClient
import ArgumentParser
import Glibc
import Outcomes
import PlainText

/// Why `exec` does not start the command. Its exit codes are beside those that commands have themselves, as in a shell.
struct ExecFailure: Error {
    let exit: Int32
    /// One line.
    let text: String

    /// One of `exec` itself.
    init(_ failure: ClientFailure) {
        self.init(exit: 125, code: failure.word, failure.detail, hint: failure.hint)
    }

    init(exit: Int32 = 125, code: String, _ detail: String, hint: String) {
        self.exit = exit
        text = "\(code): \(detail); \(hint)"
    }

    /// execve(2) has failed with an errno.
    init(command: String, errno: Int32) {
        guard errno != ENOENT else {
            self.init(
                exit: 127, code: "no-command", "there is no program '\(command)'", hint: "look at its name, and at PATH"
            )
            return
        }
        self.init(
            exit: 126, code: "not-executable", "'\(command)' cannot be started (errno \(errno))",
            hint: errno == E2BIG ? "give it fewer words" : "look whether it is a program that you may execute")
    }

    func end() -> Never {
        Voice.remark(text)
        Glibc.exit(exit)
    }
}

extension ClientFailure {
    /// A stable word: the agent's own, or one for what keeps a client from asking it.
    fileprivate var word: String {
        if let code { return code }
        return switch exit {
        case .usage: "usage"
        case .unavailable: "no-agent"
        case .temporaryFailure: "timeout"
        case .noPermission: "forbidden"
        case .configuration: "configuration"
        case .noInput, .pinNeeded, .tokenGone, .software, .done: "internal"
        }
    }
}
