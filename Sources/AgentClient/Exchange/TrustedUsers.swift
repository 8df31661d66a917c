import CLinux

/// The users whose processes may be the agent: where others can write, anyone can listen, and would be sent the PIN.
struct TrustedUsers {
    /// This process's user: it owns its own agent, and the manager of its services, which listens for it.
    private let own: UInt32
    /// The system agent's, for sockets in /run/tokenward; that folder is its own.
    private let system: UInt32?
    /// The one that the caller named.
    private let named: UInt32?

    init(of endpoint: AgentEndpoint, at path: [UInt8]) {
        own = geteuid()
        system = Self.systemUser(for: path)
        named = endpoint.agentUser
    }

    /// - Throws: Exit code 77 when the process that listens is of another user.
    func check(listener user: UInt32, at path: [UInt8]) throws(ClientFailure) {
        // Root listens for what systemd starts.
        guard user != 0, user != own, user != system, user != named else { return }
        throw ClientFailure(
            .noPermission,
            "a process of uid \(user) listens at \(String(decoding: path, as: UTF8.self)), not one of yours or root's",
            hint: "name another socket; if that user runs the agent, add --agent-uid \(user)")
    }

    /// The owner of /run/tokenward for a path in it, and for no other.
    private static func systemUser(for path: [UInt8]) -> UInt32? {
        let folder = AgentEndpoint.systemFolder
        let leaves = path.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
        guard path.starts(with: folder), !leaves else { return nil }
        var status = stat()
        let name = folder + [0]
        let result = unsafe name.withUnsafeBytes {
            unsafe $0.baseAddress.map { unsafe stat($0.assumingMemoryBound(to: CChar.self), &status) } ?? -1
        }
        return result == 0 ? status.st_uid : nil
    }
}
