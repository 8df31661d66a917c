import Synchronization

/// The end that a worker or a watcher has of the socket to its agent.
package final class AgentChannel: Sendable {
    private let socket: FrameSocket
    private let writing = Mutex(())
    private let hasEnded = Atomic(false)

    package init(socket: Int32) { self.socket = FrameSocket(descriptor: socket) }

    /// A request, and the PIN that came with it.
    package struct Received: Sendable {
        package let number: UInt32
        package let request: Request
        package let pin: HeldPIN?
    }

    /// Waits for the next request.
    ///
    /// - Returns: Nil when the agent is gone, or says what this version does not understand: nobody is left to answer.
    package func receive() -> Received? {
        do {
            guard let frame = try socket.receive() else { throw WireError.truncated }
            let request = try Request(kind: frame.header.kind, body: frame.body)
            return Received(
                number: frame.header.number, request: request, pin: try frame.secret.map { try HeldPIN($0) })
        } catch {
            hasEnded.store(true, ordering: .sequentiallyConsistent)
            return nil
        }
    }

    /// Whether the agent is gone, as `receive` has seen it: no PIN is sent any more, because nobody would learn what became
    /// of it.
    package var isOver: Bool { hasEnded.load(ordering: .sequentiallyConsistent) }

    /// Listens no longer: `receive` finds that the agent is gone, which by another way has said what makes no sense.
    package func hangUp() {
        hasEnded.store(true, ordering: .sequentiallyConsistent)
        socket.stopReading()
    }

    /// Answers a request. A failure to write means that the agent is gone, which `receive` notices.
    package func send(_ reply: Reply, to number: UInt32) {
        let body = reply.body
        writing.withLock { _ in _ = socket.send(kind: reply.kind, number: number, body: body, secret: reply.secret) }
    }
}
