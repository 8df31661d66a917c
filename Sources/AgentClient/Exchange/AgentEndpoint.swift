import CLinux

/// Where the agent's socket may be, in the order in which a client looks, and which users may be the agent there.
package struct AgentEndpoint {
    /// Absolute or relative paths, none of them empty.
    package let paths: [[UInt8]]
    /// A user beside the usual ones that the caller takes for the agent's.
    private let agentUser: UInt32?
    private let origin: Origin

    /// How the paths were found: the hint for a missing agent depends on it.
    private enum Origin {
        /// The option or the variable of this name.
        case named(StaticString)
        /// The usual places, the user's and the system's.
        case usual
        /// The system's path alone, because XDG_RUNTIME_DIR gives no path of the user's; the fault of that variable.
        case systemAlone(StaticString)
    }

    /// The longest path of a Unix socket in bytes (unix(7): 108 with the closing zero).
    package static let longestPath = 107

    /// The folder of the system agent's sockets; only root can make it.
    private static let systemFolder = Array("/run/tokenward/".utf8)

    private static let systemPath = systemFolder + Array("agent.sock".utf8)

    /// `option`, else `TOKENWARD_SOCKET`, else the user's agent and then the system's.
    ///
    /// - Parameter agentUser: A user whose processes may be the agent, beside the usual ones.
    /// - Throws: Exit code 64 for a path that is empty or too long, or holds a zero byte.
    package init(option: [UInt8]?, agentUser: UInt32? = nil) throws(ClientFailure) {
        self.agentUser = agentUser
        if let option {
            paths = [try Self.checked(option, from: "--socket")]
            origin = .named("--socket")
        } else if let variable = ProcessInput.environment("TOKENWARD_SOCKET") {
            paths = [try Self.checked(variable, from: "TOKENWARD_SOCKET")]
            origin = .named("TOKENWARD_SOCKET")
        } else if let user = Self.userPath {
            paths = [try Self.checked(user, from: "XDG_RUNTIME_DIR"), Self.systemPath]
            origin = .usual
        } else {
            paths = [Self.systemPath]
            let isSet = ProcessInput.environment("XDG_RUNTIME_DIR") != nil
            origin = .systemAlone(isSet ? "is no absolute path" : "is not set")
        }
    }

    /// A relative XDG_RUNTIME_DIR is to be ignored (XDG Base Directory Specification).
    private static var userPath: [UInt8]? {
        guard let runtime = ProcessInput.environment("XDG_RUNTIME_DIR"), runtime[0] == UInt8(ascii: "/") else {
            return nil
        }
        return runtime + Array("/tokenward/agent.sock".utf8)
    }

    private static func checked(_ path: [UInt8], from origin: StaticString) throws(ClientFailure) -> [UInt8] {
        guard !path.isEmpty, !path.contains(0) else {
            throw ClientFailure(
                .usage, "the socket's path is empty", hint: "give \(origin) the path of the agent's socket")
        }
        guard path.count <= longestPath else {
            throw ClientFailure(
                .usage, "the socket's path has \(path.count) bytes, and a Unix socket takes at most \(longestPath)",
                hint: "give \(origin) a shorter path")
        }
        return path
    }
}

extension AgentEndpoint {
    private static let startUsers = "'systemctl --user start tokenward.socket' or 'tokenward-agent'"
    private static let startSystems = "'sudo systemctl start tokenward.socket'"

    /// There is no socket at any of the paths.
    var missing: ClientFailure {
        if case .systemAlone(let fault) = origin {
            return ClientFailure(
                .unavailable,
                "no agent listens at \(text(paths[0])), and XDG_RUNTIME_DIR, which says where yours does, \(fault)",
                hint: "set it, as in XDG_RUNTIME_DIR=/run/user/\(geteuid()); or start the system's agent with "
                    + Self.startSystems)
        }
        return ClientFailure(
            .unavailable, "no agent listens at \(paths.map(text).joined(separator: " or "))", hint: start(at: paths[0]))
    }

    /// connect(2) to the socket at `path` has failed with an errno.
    func unreachable(_ path: [UInt8], _ error: Int32) -> ClientFailure {
        switch error {
        case ECONNREFUSED:
            ClientFailure(.unavailable, "no agent listens at \(text(path)) any more", hint: start(at: path))
        case EACCES:
            ClientFailure(
                .unavailable, "the agent's socket \(text(path)) is not open to this user",
                hint: "give --socket the path of an agent that serves you, or start your own with \(Self.startUsers)")
        default:
            ClientFailure(
                .unavailable, "\(text(path)) cannot be connected to (errno \(error))", hint: start(at: path))
        }
    }

    /// How to start the agent that listens at `path`.
    private func start(at path: [UInt8]) -> String {
        if path == Self.systemPath { return "start it with \(Self.startSystems)" }
        if case .named(let name) = origin, path != Self.userPath {
            return "start the agent that listens there, or correct \(name)"
        }
        return "start it with \(Self.startUsers)"
    }

    private func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }
}

// The users whose processes may be the agent. Where others can write, anyone can listen, and would be sent the PIN.
extension AgentEndpoint {
    /// Root listens for what systemd starts; this process's user owns its own agent.
    ///
    /// - Throws: Exit code 77 when the process that listens at `path` is of another user.
    func check(listener user: UInt32, at path: [UInt8]) throws(ClientFailure) {
        guard user != 0, user != geteuid(), user != agentUser, user != Self.systemUser(for: path) else { return }
        throw ClientFailure(
            .noPermission, "a process of uid \(user) listens at \(text(path)), not one of yours or root's",
            hint: "name another socket; if that user runs the agent, add --agent-uid \(user)")
    }

    /// The system agent's: the owner of /run/tokenward for a path in it, and nil for any other.
    private static func systemUser(for path: [UInt8]) -> UInt32? {
        let leaves = path.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
        guard path.starts(with: systemFolder), !leaves else { return nil }
        var status = stat()
        let name = systemFolder + [0]
        let result = unsafe name.withUnsafeBytes {
            unsafe $0.baseAddress.map { unsafe stat($0.assumingMemoryBound(to: CChar.self), &status) } ?? -1
        }
        return result == 0 ? status.st_uid : nil
    }
}
