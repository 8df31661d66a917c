import Agent
import Files
import Glibc
import SystemPackage
import Tokens

/// What the agent was started with, read once.
struct Environment {
    let variables: [String: String]

    init() {
        var variables: [String: String] = [:]
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let parts = unsafe String(cString: text).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            unsafe entry += 1
        }
        self.variables = variables
    }

    /// Takes every variable out of the process but those that name proxies: libraries read others, such as
    /// `SSLKEYLOGFILE`, which has libcurl write the keys of each connection into a file.
    func keepProxiesOnly() {
        let kept: Set = [
            "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
        ]
        for name in variables.keys where !kept.contains(name) { unsafe unsetenv(name) }
    }

    /// Where the agent listens: option, variable, and then the usual place of a user's or the system's agent.
    func socketPath(option: String?, isSystem: Bool) -> String? {
        if let option { return option }
        if let path = variables["TOKENWARD_SOCKET"], !path.isEmpty { return path }
        if isSystem { return "/run/tokenward/agent.sock" }
        guard let folder = variables["XDG_RUNTIME_DIR"], folder.hasPrefix("/") else { return nil }
        return "\(folder)/tokenward/agent.sock"
    }

    /// - Parameters:
    ///   - socket: Its path, also where systemd has made it.
    ///   - dropIns: The folder of the configuration's drop-ins.
    func setting(isSystem: Bool, socket: String, dropIns: String?) throws(Failure) -> AgentService.Setting {
        let (folder, name) = Self.split(socket)
        let runtime = runtimeFolder ?? folder
        let tokens = Tokens.Setting(
            workerExecutable: try executable("tokenward-worker"),
            // Without it nothing is changed on a token, and a command that would says so.
            keeperExecutable: (try? executable("tokenward-keeper")) ?? "/nonexistent/tokenward-keeper",
            // Without it the agent looks for cards as it looks for other tokens, and says so.
            watcherExecutable: (try? executable("tokenward-card-watcher")) ?? "/nonexistent/tokenward-card-watcher",
            runtimeFiles: "\(runtime)/\(name)",
            credentialsFolder: variables["CREDENTIALS_DIRECTORY"], home: isSystem ? nil : variables["HOME"],
            configHome: variables["XDG_CONFIG_HOME"],
            ownFolders: [variables["HOME"], dropIns, runtime, folder].compactMap(\.self),
            sessionBus: isSystem ? nil : sessionBus)
        return AgentService.Setting(
            scope: isSystem ? .system : .user, tokens: tokens, systemBus: variables["DBUS_SYSTEM_BUS_ADDRESS"])
    }

    /// The address of the session's bus: what the session says, or systemd's usual place for it.
    private var sessionBus: String? {
        if let address = variables["DBUS_SESSION_BUS_ADDRESS"], !address.isEmpty { return address }
        return variables["XDG_RUNTIME_DIR"].map { "unix:path=\($0)/bus" }
    }

    /// `$RUNTIME_DIRECTORY`, where systemd made one.
    private var runtimeFolder: String? { variables["RUNTIME_DIRECTORY"]?.split(separator: ":").first.map(String.init) }

    /// - Parameter path: Absolute.
    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    /// A program beside this one, or in the folder for what only programs start (FHS 3.0 §4.7).
    private func executable(_ name: String) throws(Failure) -> String {
        let program: String
        do throws(Errno) {
            program = String(decoding: try FileName.target(ofLink: "/proc/self/exe"), as: UTF8.self)
        } catch {
            throw Failure(.software, "this program's own path cannot be read: \(error)")
        }
        let folder = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? ""
        let candidates = ["\(folder)/\(name)", "\(folder)/../libexec/tokenward/\(name)"]
        guard let found = candidates.first(where: { unsafe access($0, X_OK) == 0 }) else {
            throw Failure(.software, "\(candidates[0]) is missing; install it beside tokenward-agent")
        }
        return found
    }
}
