/// Where the agent's socket may be, in the order in which a client looks.
package struct AgentEndpoint {
    /// Absolute or relative paths, none of them empty.
    package let paths: [[UInt8]]

    /// The longest path of a Unix socket in bytes (unix(7): 108 with the closing zero).
    package static let longestPath = 107

    /// `option`, else `TOKENWARD_SOCKET`, else the user's agent and then the system's.
    ///
    /// - Throws: Exit code 64 for a path that is empty or too long, or holds a zero byte.
    package init(option: [UInt8]?) throws(ClientFailure) {
        if let option {
            paths = [try Self.checked(option, from: "--socket")]
        } else if let variable = ProcessInput.environment("TOKENWARD_SOCKET") {
            paths = [try Self.checked(variable, from: "TOKENWARD_SOCKET")]
        } else {
            let system = Array("/run/tokenward/agent.sock".utf8)
            // A relative XDG_RUNTIME_DIR is to be ignored (XDG Base Directory Specification).
            if let runtime = ProcessInput.environment("XDG_RUNTIME_DIR"), runtime[0] == UInt8(ascii: "/") {
                let user = runtime + Array("/tokenward/agent.sock".utf8)
                paths = [try Self.checked(user, from: "XDG_RUNTIME_DIR"), system]
            } else {
                paths = [system]
            }
        }
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
