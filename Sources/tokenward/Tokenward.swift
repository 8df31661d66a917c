import AgentAPI
import AgentClient
import ArgumentParser
import CLinux
import Glibc
import Outcomes

/// The command line for people.
@main
struct Tokenward: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenward",
        abstract: "Ask the tokenward agent, which has AWS credentials from keys that never leave their token.",
        discussion: """
            Options that all commands share, such as --socket, stand before or after the command.

            Results go to standard output, everything else to standard error. Tables are for terminals: a pipe gets one \
            line per result with tabs between the fields, and --json gives the agent's own words.

            exit: 0 done, 64 usage, 66 no such token or certificate, 69 no agent, 70 a fault of ours, 75 try later, \
            77 refused, 78 configuration, 80 the token needs its PIN, 81 the token is gone or its PIN blocked
            """,
        version: "tokenward \(Version.current)",
        subcommands: [
            StatusCommand.self, ListCommand.self, UnlockCommand.self, LockCommand.self, RefreshCommand.self,
            ReloadCommand.self, ProfilesCommand.self, ExecCommand.self, ExportCommand.self,
            KeyCommand.self, ImportCommand.self, CertificateRequestCommand.self, CertificateCommand.self,
            CredentialProcessCommand.self, VersionCommand.self,
        ])

    static func main() {
        let arguments = CommandLineOrder.commandFirst(Array(CommandLine.arguments.dropFirst()))
        let isExec = arguments.first == ExecCommand.configuration.commandName
        // No core dump, no debugger of the same user, no memory on standard error after a crash, no death by SIGPIPE. Each
        // is a second line of defence: where the kernel refuses one, the command still does its work. What exec becomes is
        // another program, with the rights and limits that this process was started with.
        _ = isExec ? clinux_hide_process() : clinux_harden_process()
        _ = clinux_turn_off_crash_reports()
        _ = clinux_ignore_broken_pipe()
        do {
            try checkCommand(arguments.first)
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch let failure as ClientFailure {
            Voice.end(failure)
        } catch let failure as ExecFailure {
            failure.end()
        } catch {
            end(parsing: error, isExec: isExec)
        }
    }

    /// - Throws: Exit code 64 for a word that is no command, with the one that it may have been meant for.
    private static func checkCommand(_ word: String?) throws(ClientFailure) {
        let names = configuration.subcommands.map { $0.configuration.commandName ?? "" }
        guard let word, !word.hasPrefix("-"), word != "help", !names.contains(word) else { return }
        let advice = "'tokenward --help' lists the commands"
        throw ClientFailure(
            .usage, "there is no command '\(word)'",
            hint: nearestName(to: word, among: names).map { "did you mean '\($0)'? \(advice)" } ?? advice)
    }

    /// Help, version and completions arrive as errors, like real mistakes on the command line.
    private static func end(parsing error: any Error, isExec: Bool) -> Never {
        if exitCode(for: error).isSuccess {
            do throws(ClientFailure) { try Voice.result(fullMessage(for: error)) } catch { Voice.end(error) }
            Glibc.exit(0)
        }
        let line = message(for: error).split(separator: "\n").first ?? "the command line is wrong"
        // Of a command's options the parser says in a second sentence which one may have been meant.
        let sentences = line.split(separator: ". Did you mean ", maxSplits: 1)
        let detail = sentences[0].prefix(1).lowercased() + sentences[0].dropFirst()
        if isExec { ExecFailure(code: "usage", String(detail), hint: "type \(ExecCommand.usage)").end() }
        let meant = sentences.count > 1 ? String(sentences[1]) : sharedOption(for: detail).map { "'\($0)'?" }
        Voice.end(
            ClientFailure(
                .usage, detail,
                hint: (meant.map { "did you mean \($0) " } ?? "") + "run 'tokenward --help', or the command with --help"
            ))
    }

    /// The shared option that an unknown one in front of the command may have been meant for.
    private static func sharedOption(for detail: String) -> String? {
        let parts = detail.split(separator: "'")
        guard parts.count == 2, parts[0] == "unknown option " else { return nil }
        return nearestName(to: String(parts[1]), among: CommandLineOrder.names)
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @Flag(help: "Print it as JSON.")
    var json = false

    func run() throws {
        let version = "\(Version.current)"
        try Voice.result(
            json ? String(decoding: ["version": version].json, as: UTF8.self) : "tokenward \(version)")
    }
}
