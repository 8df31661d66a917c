internal import Glibc
internal import Synchronization
internal import TokenService

/// The worker's end of the socket to its agent.
final class AgentChannel: Sendable {
    private let socket: Int32
    private let writing = Mutex(())

    init(socket: Int32) { self.socket = socket }

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
        guard let headerBytes = read(FrameHeader.length), let header = try? FrameHeader(headerBytes),
            let body = read(header.bodyLength), let request = try? Request(kind: header.kind, body: body)
        else { return nil }
        guard header.secretLength > 0 else { return Received(number: header.number, request: request, pin: nil) }
        do {
            let pin = try unsafe PIN { (page) throws(PINError) in
                guard unsafe read(into: UnsafeMutableRawBufferPointer(rebasing: page[..<header.secretLength])) else {
                    throw .unreadable(errno: EPIPE)
                }
                return header.secretLength
            }
            return Received(number: header.number, request: request, pin: HeldPIN(pin))
        } catch {
            return nil
        }
    }

    /// Answers a request. A failure to write means that the agent is gone, which `receive` notices.
    func send(_ reply: Reply, to number: UInt32) {
        let body = reply.body
        let header = FrameHeader(kind: reply.kind, secretLength: 0, number: number, bodyLength: body.count)
        let bytes = header.bytes + body
        writing.withLock { _ in
            var sent = 0
            while sent < bytes.count {
                let count = unsafe bytes.withUnsafeBytes {
                    unsafe write(socket, $0.baseAddress?.advanced(by: sent), $0.count - sent)  // SIGPIPE is ignored
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                sent += count
            }
        }
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let isComplete = unsafe bytes.withUnsafeMutableBytes { unsafe read(into: $0) }
        return isComplete ? bytes : nil
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        var filled = 0
        while filled < buffer.count {
            let count = unsafe Glibc.read(socket, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            filled += count
        }
        return true
    }
}
