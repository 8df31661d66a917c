#if !hasFeature(Embedded)
    package import Outcomes
    import PlainText
#endif

/// The thin client, but for its process: `credential_process` for AWS SDKs.
package enum CredentialClient {
    /// The longest answer in bytes that is taken from the agent. Credentials have about 1.5 kB.
    static let longestBody = 128 * 1024

    /// Prints the credentials of a profile, whole or not at all.
    ///
    /// - Parameter arguments: Without the program's own name. SIGPIPE must be ignored.
    /// - Returns: The exit code; the reason for any but 0 stands on standard error in one line.
    package static func run(_ arguments: [[UInt8]]) -> ExitCode {
        do throws(ClientFailure) {
            switch try CredentialArguments.parse(arguments) {
            case .help: try StandardStream.output.write(help)
            case .version: try StandardStream.output.write("tokenward-credential-process \(Version.current)\n")
            case .run(let parsed): try printCredentials(parsed)
            }
            return .done
        } catch {
            // Where standard error is gone as well, the exit code alone tells.
            try? StandardStream.error.write(line(error))
            return error.exit == .done ? .software : error.exit
        }
    }

    private static func printCredentials(_ arguments: CredentialArguments) throws(ClientFailure) {
        let exchange = try AgentExchange(
            AgentRequest.credentials(of: arguments.profile).span,
            to: AgentEndpoint(option: arguments.socket, agentUser: arguments.agentUser),
            deadline: Deadline(afterMilliseconds: arguments.timeoutMilliseconds), limit: longestBody)
        try exchange.checkStatus()
        guard exchange.status == 200 else { throw .badAnswer("status \(exchange.status)") }
        try exchange.withBody { (body) throws(ClientFailure) in _ = try CredentialAnswer.check(body) }
        try exchange.printBody()
    }

    /// `tokenward: what happened; what to do`, at most 1 KiB, so that it arrives in one piece among others' lines.
    static func line(_ failure: ClientFailure) -> String {
        // Each is cut by itself, so that a long detail does not cost the hint.
        let detail = PlainText.cut(PlainText.terminal(failure.detail), toBytes: 640)
        let hint = PlainText.cut(PlainText.terminal(failure.hint), toBytes: 368)
        return "tokenward: \(detail); \(hint)\n"
    }

    private static let help = """
        usage: tokenward-credential-process [--socket PATH] [--agent-uid UID] [--timeout SECONDS] PROFILE

        Prints the AWS credentials of a tokenward profile as JSON, for credential_process in ~/.aws/config:

            [profile prod]
            credential_process = tokenward-credential-process prod

          PROFILE, --profile PROFILE  the profile in tokenward's configuration
          --socket PATH               the agent's socket; else TOKENWARD_SOCKET,
                                      $XDG_RUNTIME_DIR/tokenward/agent.sock, /run/tokenward/agent.sock
          --agent-uid UID             the user that the agent runs as, where it is neither you nor root
          --timeout SECONDS           how long to wait for the agent (default: 50)
          --version, --help           print the version, or this text

        exit: 0 done, 64 usage, 66 no such token or certificate, 69 no agent, 70 a fault of ours, 75 try later,
        77 refused, 78 configuration, 80 the token needs its PIN, 81 the token is gone or its PIN blocked

        """
}
