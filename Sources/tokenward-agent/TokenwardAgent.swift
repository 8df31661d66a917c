import Agent
import AgentAPI
import ArgumentParser
import CLinux
import Glibc
import Logging

/// The daemon. It runs in the foreground until SIGTERM or SIGINT, and reads its configuration again on SIGHUP.
@main
struct TokenwardAgent: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenward-agent",
        abstract: "Signs in to AWS with keys on hardware tokens, and serves the sessions on a Unix socket.",
        discussion: """
            SIGHUP reads the configuration again; what did not change keeps its sessions. SIGTERM and SIGINT log out \
            of all tokens and end the agent.
            """,
        version: Version.current)

    @Option(help: ArgumentHelp("The configuration file; conf.d/*.toml beside it is read as well.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The socket to listen on.", valueName: "path"))
    var socket: String?

    @Flag(help: "Serve the whole system, from /etc/tokenward and /run/tokenward.")
    var system = false

    @Flag(help: "Check the configuration and end.")
    var check = false

    @Option(
        help: ArgumentHelp("How much to log: debug, info, notice, warning or error.", valueName: "level"),
        transform: { text in
            guard let level = Logger.Level(rawValue: text) else {
                throw ValidationError("write debug, info, notice, warning or error")
            }
            return level
        })
    var logLevel: Logger.Level = .info

    static func main() async {
        do {
            try await parse().serve()
        } catch let failure as Failure {
            failure.report()
            Glibc.exit(failure.code.rawValue)
        } catch {
            end(parsing: error)
        }
    }

    /// Help and version arrive as errors, like real mistakes on the command line.
    private static func end(parsing error: any Error) -> Never {
        if exitCode(for: error).isSuccess { exit(withError: error) }
        let line = message(for: error).split(separator: "\n").first ?? "the command line is wrong"
        let failure = Failure(
            .usage, line.prefix(1).lowercased() + line.dropFirst() + "; run 'tokenward-agent --help'")
        failure.report()
        Glibc.exit(failure.code.rawValue)
    }

    private func serve() async throws(Failure) {
        let hardening = clinux_harden_process()
        guard hardening == 0 else { throw Failure(.software, "the process cannot be protected: errno \(hardening)") }
        signal(SIGPIPE, SIG_IGN)
        let environment = Environment()
        let loader = ConfigurationLoader(environment: environment.variables, isSystem: system)
        let configuration = try load(with: loader)
        if check { return }

        let queue = LogQueue(descriptor: STDERR_FILENO)
        let level = logLevel
        let style = AgentLogHandler.Style(environment: environment.variables)
        LoggingSystem.bootstrap { _ in
            var handler = AgentLogHandler(queue: queue, style: style)
            handler.logLevel = level
            return handler
        }
        let log = Logger(label: "tokenward-agent")
        if geteuid() == 0 { log.warning("running as root, which the agent does not need: give it a user of its own") }

        let signals = SignalStream([SIGTERM, SIGINT, SIGHUP])
        let listener = try listen(environment)
        let service = AgentService(
            configuration, setting: try environment.setting(isSystem: system, socket: listener.path), log: log)
        let notifier = ServiceNotifier(environment: environment.variables)
        do {
            try await service.start(on: listener)
        } catch {
            throw Failure(.software, "the socket cannot be served: \(error)")
        }
        log.notice(
            "serving",
            metadata: [
                "socket": "\(listener.path ?? "from systemd")", "profiles": "\(configuration.profiles.count)",
                "version": "\(Version.current)",
            ])
        notifier.notify(.ready)
        for await signal in signals.stream {
            guard signal == SIGHUP else { break }
            notifier.notify(.reloading)
            await reload(service, loader, log)
            notifier.notify(.ready)
        }
        notifier.notify(.stopping)
        log.notice("stopping")
        await service.stop()
        await queue.close(within: 1000)
    }

    /// A configuration with a fault changes nothing.
    private func reload(_ service: AgentService, _ loader: ConfigurationLoader, _ log: Logger) async {
        do throws(ConfigurationError) {
            await service.reload(try loader.load(path: config))
            log.notice("configuration read again")
        } catch {
            for fault in error.faults.prefix(20) { log.error("\(fault)") }
            log.error("the configuration has faults, so the old one stays in force")
        }
    }

    private func load(with loader: ConfigurationLoader) throws(Failure) -> Configuration {
        do throws(ConfigurationError) {
            return try loader.load(path: config)
        } catch {
            throw Failure(.configuration, "\(error)")
        }
    }

    private func listen(_ environment: Environment) throws(Failure) -> SocketListener {
        let path = environment.socketPath(option: socket, isSystem: system)
        do throws(ListenerError) {
            if let inherited = try SocketListener.inherited(environment: environment.variables) { return inherited }
            if let path { return try SocketListener(path: path, scope: system ? .system : .user) }
        } catch {
            throw Failure(.unavailable, "\(error.message); \(error.hint)")
        }
        throw Failure(
            .usage, "XDG_RUNTIME_DIR is not set, so there is no place for the socket; use --socket or --system")
    }
}
