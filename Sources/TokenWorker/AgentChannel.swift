import Synchronization
import TokenService

/// The worker's end of the socket to its agent.
final class AgentChannel: Sendable {
    private let socket: FrameSocket
    private let writing = Mutex(())
    /// Failures tell of it.
    let network = NetworkWatch()

    init(socket: Int32) { self.socket = FrameSocket(descriptor: socket) }

    /// A request, and the PIN that came with it.
    struct Received: Sendable {
        let number: UInt32
        let request: Request
        let pin: HeldPIN?
    }

    /// Waits for the next request.
    ///
    /// - Returns: Nil when the agent is gone, or says what this version does not understand: nobody is left to answer.
    func receive() -> Received? {
        guard let frame = socket.receive(), let request = try? Request(kind: frame.header.kind, body: frame.body)
        else { return nil }
        return Received(number: frame.header.number, request: request, pin: frame.secret)
    }

    /// Answers a request. A failure to write means that the agent is gone, which `receive` notices.
    func send(_ reply: Reply, to number: UInt32) {
        var reply = reply
        if case .failed(var failure) = reply, network.wasRefused {
            failure.text += NetworkWatch.advice
            reply = .failed(failure)
        }
        let body = reply.body
        writing.withLock { _ in _ = socket.send(kind: reply.kind, number: number, body: body) }
    }
}
