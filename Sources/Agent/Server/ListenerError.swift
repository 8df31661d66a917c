import Files
package import SystemPackage

/// Why the socket cannot be made, or cannot be taken over.
package enum ListenerError: Error, Hashable, Sendable {
    /// Another agent answers there: nothing is wrong, and nothing to do.
    case alreadyRunning(path: String)
    /// Another program listens at a loopback address, which any user can.
    case portTaken(address: String)
    /// The path, its directory, or what lies there is not safe to use.
    case unusable(path: String, reason: String)
    /// The file's or directory's owner has no number in the agent's user namespace, so it may be anybody's.
    case ownerHidden(path: String)
    /// systemd passed something else than one listening Unix stream socket.
    case inherited(reason: String)
    case failed(call: String, path: String, errno: Errno)

    package var message: String {
        switch self {
        case .alreadyRunning(let path): "an agent is already running on \(path)"
        case .portTaken(let address):
            "\(address): another program listens on this port ('ss -ltnp' shows it); the agent tries again every two "
                + "seconds"
        case .unusable(let path, let reason): "\(path): \(reason)"
        case .ownerHidden(let path): "\(path): \(KnownIDs.hidden)"
        case .inherited(let reason): "the socket passed in LISTEN_FDS: \(reason)"
        case .failed(let call, let path, let errno):
            "\(path): \(call) failed: \(errno)"
        }
    }

    package var hint: String {
        switch self {
        case .alreadyRunning: "stop it first, or choose another path (--socket, [[listener]])"
        case .portTaken: "end that program, or choose another port"
        case .unusable: "put it right, or choose another path (--socket, [[listener]])"
        case .ownerHidden: KnownIDs.cure
        case .inherited: "let the socket unit have exactly one ListenStream= with an absolute path"
        case .failed: "see that the directory is there and yours"
        }
    }
}
