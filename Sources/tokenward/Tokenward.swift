import AgentClient
import ArgumentParser
import Glibc

/// The command line for people.
@main
struct Tokenward: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenward",
        abstract: "Ask the tokenward agent, which has AWS credentials from keys that never leave their token.",
        discussion: """
            Results go to standard output, everything else to standard error. Tables are for terminals: a pipe gets one \
            line per result with tabs between the fields, and --json gives the agent's own words.

            exit: 0 done, 64 usage, 66 no such token or certificate, 69 no agent, 70 a fault of ours, 75 try later, \
            77 refused, 78 configuration, 80 the token needs its PIN, 81 the token is gone or its PIN blocked
            """,
        version: "tokenward \(Version.current)",
        subcommands: [
            StatusCommand.self, ListCommand.self, UnlockCommand.self, LockCommand.self, RefreshCommand.self,
            CredentialProcessCommand.self, VersionCommand.self,
        ])

    static func main() {
        ClientProcess.protect()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as ClientFailure {
            Voice.end(failure)
        } catch {
            end(parsing: error)
        }
    }

    /// Help, version and completions arrive as errors, like real mistakes on the command line.
    private static func end(parsing error: any Error) -> Never {
        if exitCode(for: error).isSuccess {
            do throws(ClientFailure) { try Voice.result(fullMessage(for: error)) } catch { Voice.end(error) }
            Glibc.exit(0)
        }
        let lines = message(for: error).split(separator: "\n")
        let detail = lines.first.map { $0.prefix(1).lowercased() + $0.dropFirst() } ?? "the command line is wrong"
        Voice.end(ClientFailure(.usage, detail, hint: "run 'tokenward --help', or the command with --help"))
    }
}
