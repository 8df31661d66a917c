import AgentClient
import ArgumentParser
import CLinux
import Files
import Glibc

struct ExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command with a profile's credentials.",
        usage: usage,
        discussion: """
            Without a command: your shell ($SHELL). PIN, touch and AWS come before the command starts. AWS_* variables that \
            lead to other credentials do not reach it; regions, endpoints and AWS' configuration files do. \
            TOKENWARD_PROFILE and AWS_VAULT name the profile, for prompts; where one is set, exec refuses to start.

            With --env the credentials last as long as the session that they are of. With --profile-env the command \
            renews them by the credential_process line of that profile in ~/.aws/config.

            exit: the command's own; 126 it cannot be started, 127 there is none; 125 a failure before that, in one line \
            that begins with its code
            """)

    /// What a wrong command line is answered with.
    static let usage = "tokenward exec [<profile>] --env | --profile-env [-- <command> ...]"

    @Argument(
        help: "The profile in the agent's configuration. On a terminal it may be left out, and is asked for.",
        completion: ProfileCompletion.kind)
    var profile: String?

    @Flag(help: "Hand the credentials over in variables.")
    var env = false

    @Flag(help: "Hand over AWS_PROFILE, with the profile's name.")
    var profileEnv = false

    @OptionGroup var agent: AgentOptions

    @Argument(parsing: .postTerminator, help: "The command and its arguments.", completion: .file())
    var command: [String] = []

    func validate() throws {
        if env == profileEnv { throw ValidationError("give one of --env and --profile-env") }
    }

    func run() throws {
        do {
            try start()
        } catch let failure as ClientFailure {
            throw ExecFailure(failure)
        }
    }

    private func start() throws {
        for mark in CommandEnvironment.marks {
            guard let value = ProcessInput.environment(mark) else { continue }
            throw ExecFailure(
                code: "nested",
                "\(mark) is set: this is a command of exec for '\(String(decoding: value, as: UTF8.self))'",
                hint: "leave that one first, or unset \(mark)")
        }
        let profile = try ProfilePicker.profile(profile, of: agent)
        if profileEnv { try checkConfiguration(of: profile) }
        let answer = try agent.send(AgentRequest.credentials(of: profile))
        let session = try ExecSession(profile: profile, answer)
        Voice.remark(session.told(by: agent, isRenewed: profileEnv, isShell: command.isEmpty))
        let failure = try answer.withBody { (body) throws(ClientFailure) in
            var environment = try CommandEnvironment(capacity: body.count)
            for mark in CommandEnvironment.marks { try environment.set(mark, profile.name.utf8) }
            if env {
                try environment.setCredentials(body)
            } else {
                try environment.set("AWS_PROFILE", profile.name.utf8)
                try environment.set("AWS_SDK_LOAD_CONFIG", "1".utf8)  // Go 1 and JS 2 read ~/.aws/config with it alone
                if let socket = agent.socket { try environment.set("TOKENWARD_SOCKET", Self.absolute(socket).utf8) }
            }
            return execute(environment)
        }
        throw failure
    }

    /// Comes back with the reason if that is not possible. The words are taken as the process got them: they need not be
    /// UTF-8.
    private func execute(_ environment: borrowing CommandEnvironment) -> ExecFailure {
        if let first = command.first {
            let end = ProcessInput.arguments().firstIndex { $0.elementsEqual("--".utf8) } ?? 0
            guard let words = unsafe clinux_arguments(Int32(end) + 2) else {
                return ExecFailure(command: first, errno: EINVAL)
            }
            return unsafe ExecFailure(command: first, errno: environment.execute(words))
        }
        let variable = String(decoding: ProcessInput.environment("SHELL") ?? [], as: UTF8.self)
        let shell = variable.hasPrefix("/") ? variable : "/bin/sh"
        let words = unsafe [strdup(shell), nil]
        return unsafe ExecFailure(command: shell, errno: environment.execute(words))
    }

    /// The command may go to another folder.
    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(folder) }
        return unsafe "\(String(cString: folder))/\(path)"
    }

    /// - Throws: Exit code 78 where AWS' own files have no such profile, or it leads to other credentials than the command is
    ///   said to get.
    private func checkConfiguration(of profile: ProfileArgument) throws(ClientFailure) {
        let config = file("AWS_CONFIG_FILE", "/.aws/config")
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials")
        let found = [(config, true), (credentials, false)].compactMap { (path, isConfig) in
            // One that is not there has no profile.
            let text = try? OpenFile.contents(of: path, atMost: 16 * 1024 * 1024)
            return AWSProfileFile(text ?? [], isConfig: isConfig).settings(of: profile).map { (path, $0) }
        }
        let line = "'credential_process = tokenward-credential-process \(profile.name)'"
        guard let (path, _) = found.first else {
            throw ClientFailure(
                .configuration, "\(config) has no [profile \(profile.name)]",
                hint: "add it, with \(line), or take --env")
        }
        switch ProfileOrigin(found.reduce(into: []) { $0.formUnion($1.1) }) {
        case .program: return
        case .setting(let setting):
            let place = found.first { $0.1.contains(setting) }?.0 ?? path
            throw ClientFailure(
                .configuration,
                "\(place) has \(setting) for \(profile.name), which programs follow before credential_process",
                hint: "remove it there, or take --env")
        case .elsewhere:
            throw ClientFailure(
                .configuration, "\(path) has no credential_process for \(profile.name)",
                hint: "add \(line), or take --env")
        }
    }

    /// `~` is the home in the variables' values too, as SDKs read them.
    private func file(_ variable: StaticString, _ usual: String) -> String {
        let named = ProcessInput.environment(variable).map { String(decoding: $0, as: UTF8.self) }
        if let named, !named.hasPrefix("~/") { return named }
        let home = String(decoding: ProcessInput.environment("HOME") ?? [], as: UTF8.self)
        return home + (named.map { String($0.dropFirst()) } ?? usual)
    }
}
