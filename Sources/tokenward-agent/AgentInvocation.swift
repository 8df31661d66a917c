import Agent
import Logging

/// What the agent was started with.
struct AgentOptions {
    /// The configuration file.
    var config: String?
    /// The socket to listen on.
    var socket: String?
    var isSystem = false
    /// Check the configuration and end.
    var isCheck = false
    var logLevel = Logger.Level.info
}

/// What the arguments ask for. Five options need no argument parser, and one that brings Foundation along would stay in
/// memory all day.
enum AgentInvocation {
    case help
    case version
    case serve(AgentOptions)

    static let helpText = """
        OVERVIEW: Signs in to AWS with keys on hardware tokens, and serves the sessions on a Unix socket.

        SIGHUP reads the configuration again, as 'tokenward reload' does; what did not change keeps its sessions. SIGUSR1
        locks all tokens, as 'tokenward lock' does. SIGTERM and SIGINT log out of all tokens and end the agent.

        USAGE: tokenward-agent [--config <file>] [--socket <path>] [--system] [--check] [--log-level <level>]

        OPTIONS:
          --config <file>         The configuration file; conf.d/*.toml beside it is read as well.
          --socket <path>         The socket to listen on.
          --system                Serve the whole system, from /etc/tokenward and /run/tokenward.
          --check                 Check the configuration and end.
          --log-level <level>     How much to log: debug, info, notice, warning or error. (default: info)
          --version               Show the version.
          -h, --help              Show help information.
        """

    /// - Parameter arguments: Without the program's name. A value follows its option, or stands behind an equals sign.
    init(_ arguments: ArraySlice<String>) throws(Failure) {
        var options = AgentOptions()
        var rest = arguments
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let (name, inline) = (parts[0], parts.count > 1 ? parts[1] : nil)
            switch (name, inline) {
            case ("--help", nil), ("-h", nil):
                self = .help
                return
            case ("--version", nil):
                self = .version
                return
            case ("--system", nil): options.isSystem = true
            case ("--check", nil): options.isCheck = true
            case ("--config", _): options.config = try Self.value(of: name, inline, &rest)
            case ("--socket", _): options.socket = try Self.value(of: name, inline, &rest)
            case ("--log-level", _):
                guard let level = Self.levels[try Self.value(of: name, inline, &rest)] else {
                    throw Failure(.usage, "--log-level is debug, info, notice, warning or error")
                }
                options.logLevel = level
            default:
                let meant = nearestName(to: name, among: Self.names).map { "did you mean '\($0)'? " } ?? ""
                throw Failure(.usage, "unknown argument '\(argument)'; \(meant)see tokenward-agent --help")
            }
        }
        self = .serve(options)
    }

    private static let names = ["--config", "--socket", "--system", "--check", "--log-level", "--version", "--help"]

    private static let levels: [String: Logger.Level] = [
        "debug": .debug, "info": .info, "notice": .notice, "warning": .warning, "error": .error,
    ]

    private static func value(
        of option: String, _ inline: String?, _ rest: inout ArraySlice<String>
    ) throws(Failure) -> String {
        guard let value = inline ?? rest.popFirst(), !value.isEmpty else {
            throw Failure(.usage, "\(option) needs a value; see tokenward-agent --help")
        }
        return value
    }
}
