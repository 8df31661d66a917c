import Agent
import AgentAPI
import CLinux
import Glibc
import Logging
import Outcomes

/// The daemon. It runs in the foreground until SIGTERM or SIGINT, and reads its configuration again on SIGHUP.
@main
struct TokenwardAgent {
    private let options: AgentOptions

    static func main() async {
        clinux_share_one_heap()
        // Without them a message has no receiver, and a file that is opened later would take their place.
        guard clinux_open_missing_streams() == 0 else { exit(ExitCode.software.rawValue) }
        do throws(Failure) {
            switch try AgentInvocation(CommandLine.arguments.dropFirst()) {
            case .help: print(AgentInvocation.helpText)
            case .version: print("\(Version.current)")
            case .serve(let options): try await TokenwardAgent(options: options).serve()
            }
        } catch {
            error.report()
            end(error.code)
        }
    }

    /// Ends at once: threads may still be at work with libcrypto, which exit(3) would have free all that it has.
    private static func end(_ code: ExitCode) -> Never {
        fflush(nil)
        _exit(code.rawValue)
    }

    private func serve() async throws(Failure) {
        let hardening = clinux_harden_process()
        guard hardening == 0 else { throw Failure(.software, "the process cannot be protected: errno \(hardening)") }
        // What a crash report shows is memory, and goes to the log.
        let reports = clinux_turn_off_crash_reports()
        guard reports == 0 else { throw Failure(.software, "crash reports cannot be turned off: errno \(reports)") }
        signal(SIGPIPE, SIG_IGN)
        signal(SIGCHLD, SIG_DFL)  // ignored, as a parent may leave it, the kernel says of no worker how it ended
        let environment = Environment()
        environment.keepProxiesOnly()
        let loader = ConfigurationLoader(environment: environment.variables, isSystem: options.isSystem)
        let configuration: Configuration
        do throws(Failure) {
            configuration = try load(with: loader)
        } catch {
            try giveUp(error, on: try? SocketListener.inherited(environment: environment.variables))
        }
        if options.isCheck { return }

        let queue = LogQueue(descriptor: STDERR_FILENO)
        let level = options.logLevel
        let style = AgentLogHandler.Style(environment: environment.variables)
        let handler = AgentLogHandler(queue: queue, style: style, level: level)
        LoggingSystem.bootstrap { _ in handler }
        let log = Logger(label: "tokenward-agent")
        if let ambiguity = Policy.ambiguity(of: geteuid()) {
            throw Failure(.configuration, "the agent cannot tell its own user: \(ambiguity); give it a user of its own")
        }
        if geteuid() == 0 { log.warning("running as root, which the agent does not need: give it a user of its own") }

        let signals = try SignalStream([SIGTERM, SIGINT, SIGHUP, SIGUSR1])
        let listener = try listen(environment)
        let notifier = ServiceNotifier(environment: environment.variables)
        let service = AgentService(
            configuration,
            setting: try environment.setting(
                isSystem: options.isSystem, socket: listener.address, dropIns: loader.dropIns(path: options.config)),
            log: log,
            readConfiguration: { [options] () throws(ConfigurationError) in try loader.load(path: options.config) },
            notifier: notifier,
            // The thread that writes the line makes it: the request does not wait for it.
            audit: { record in
                if level <= record.level { handler.append(record.level) { "\(record)" } }
            })
        do {
            try await service.start(on: listener)
        } catch {
            guard let error = error as? ListenerError else {
                throw Failure(.software, "the socket cannot be served: \(error)")
            }
            // The agent's own socket listens already: this is a consumer's.
            try giveUp(Failure(.configuration, "\(error.message); \(error.hint)"), on: listener)
        }
        log.notice(
            "serving",
            metadata: [
                "socket": "\(listener.path ?? "from systemd")", "profiles": "\(configuration.profiles.count)",
                "version": "\(Version.current)",
            ])
        notifier.notify(.ready)
        for await signal in signals.stream {
            if signal == SIGUSR1 {
                log.notice("locking", metadata: ["because-of": "SIGUSR1"])
                do throws(Problem) { try await service.lock() } catch { log.error("\(error.detail)") }
                continue
            }
            guard signal == SIGHUP else { break }
            Task { await service.reload() }  // `stop` awaits it, and a lock does not
        }
        notifier.notify(.stopping)
        log.notice("stopping")
        await service.stop()
        await queue.close(within: 1000)
        Self.end(.done)
    }

    /// Ends before serving. Clients wait only where systemd has made the socket.
    private func giveUp(_ failure: Failure, on socket: SocketListener?) throws(Failure) -> Never {
        guard let socket, socket.path == nil else { throw failure }
        failure.report()
        socket.refuseCallers()
        Self.end(failure.code)
    }

    private func load(with loader: ConfigurationLoader) throws(Failure) -> Configuration {
        do throws(ConfigurationError) {
            return try loader.load(path: options.config)
        } catch {
            throw Failure(.configuration, "\(error)")
        }
    }

    private func listen(_ environment: Environment) throws(Failure) -> SocketListener {
        let path = environment.socketPath(option: options.socket, isSystem: options.isSystem)
        do throws(ListenerError) {
            if let inherited = try SocketListener.inherited(environment: environment.variables) { return inherited }
            if let path { return try SocketListener(path: path, scope: options.isSystem ? .system : .user) }
        } catch {
            throw Failure(.unavailable, "\(error.message); \(error.hint)")
        }
        throw Failure(
            .usage, "XDG_RUNTIME_DIR is not set, so there is no place for the socket; use --socket or --system")
    }
}
