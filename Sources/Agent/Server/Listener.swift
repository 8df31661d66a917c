import AgentAPI

/// What connections are taken from.
enum Listener: Sendable {
    case socket(SocketListener)
    case loopback(LoopbackListener)

    /// Opens what a consumer asks.
    ///
    /// - Parameter boot: Boot time in milliseconds.
    init(for consumer: ListenerConfiguration, at boot: Int64) throws(ListenerError) {
        switch consumer.kind {
        case .socket(let file): self = .socket(try SocketListener(file))
        case .containerCredentials(let address, let file):
            self = .loopback(try LoopbackListener(address, tokenFile: file, at: boot))
        }
    }

    /// The descriptor, once: the caller closes it.
    func claim() -> CInt? {
        switch self {
        case .socket(let listener): listener.claim()
        case .loopback(let listener): listener.claim()
        }
    }

    /// Removes its files.
    func removeFiles() {
        switch self {
        case .socket(let listener): listener.removeName()
        case .loopback(let listener): listener.tokens.removeFile()
        }
    }

    /// Nil where reaching it is enough.
    var tokens: EndpointTokens? { if case .loopback(let listener) = self { listener.tokens } else { nil } }

    /// The process or the user at the other end of a connection; nil: as for a Unix socket.
    var peer: (@Sendable (CInt) throws -> Peer)? {
        if case .loopback(let listener) = self { { listener.peers.peer(of: $0) } } else { nil }
    }
}
