import AgentClient
import ArgumentParser

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print a profile's credentials for a program that asks no one for them.",
        discussion: """
            They are printed on a terminal as well, and stay in what it keeps. They are not renewed when they end: \
            'tokenward exec' and credential_process do that.

            env          commands for sh and bash: eval "$(tokenward export prod)"
            json         the JSON of credential_process
            ini          a section of ~/.aws/credentials
            dotenv       NAME=value lines, for .env files, docker --env-file and systemd's EnvironmentFile=
            powershell   statements: tokenward export prod --format powershell | Out-String | Invoke-Expression
            """)

    @Argument(help: "The profile in the agent's configuration.", completion: ProfileCompletion.kind)
    var profile: String

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
        let profile = try ProfileArgument(profile.utf8)
        let answer = try agent.send(AgentRequest.credentials(of: profile))
        try answer.withBody { (body) throws(ClientFailure) in
            let text = try (json ? .json : format ?? .env).text(body, profile: profile)
            try text.withBytes { (bytes) throws(ClientFailure) in try StandardStream.output.write(bytes) }
        }
    }
}

extension ExportFormat: ExpressibleByArgument {}
