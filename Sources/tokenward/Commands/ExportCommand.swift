import AgentClient
import ArgumentParser

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print a profile's credentials, for a shell or for another program.",
        discussion: """
            They are printed on a terminal as well, and stay in what it keeps. They are not renewed when they end: \
            'tokenward exec' and credential_process do that.

            env          for sh and bash: eval "$(tokenward export prod)"
            json         what credential_process prints
            ini          a section of ~/.aws/credentials
            dotenv       NAME=value lines, as in .env files and docker --env-file
            powershell   for Out-String and Invoke-Expression
            """)

    @Argument(
        help: "The profile in the agent's configuration. On a terminal it may be left out, and is asked for.",
        completion: ProfileCompletion.kind)
    var profile: String?

    @Option(help: ArgumentHelp("env, json, ini, dotenv or powershell (default: env).", valueName: "format"))
    var format: ExportFormat?

    @Flag(help: "The same as --format json.")
    var json = false

    @OptionGroup var agent: AgentOptions

    func validate() throws {
        if json, let format, format != .json {
            throw ValidationError("--json and --format \(format.rawValue) exclude each other")
        }
    }

    func run() throws {
        let profile = try ProfilePicker.profile(profile, of: agent)
        let answer = try agent.send(AgentRequest.credentials(of: profile))
        try answer.withBody { (body) throws(ClientFailure) in
            let text = try (json ? .json : format ?? .env).text(body, profile: profile)
            try text.withBytes { (bytes) throws(ClientFailure) in try StandardStream.output.write(bytes) }
        }
    }
}

extension ExportFormat: ExpressibleByArgument {}
