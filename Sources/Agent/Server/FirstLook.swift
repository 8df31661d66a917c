import AgentAPI
import CLinux
import Glibc
import NIOCore

/// Reads once from a new connection, without waiting, and answers the request that has come with it if it is whole and its
/// answer in memory: most are, and an event loop costs more than they do.
struct FirstLook {
    enum Outcome {
        /// The peer has not sent anything.
        case silent
        /// The peer has its answer, has sent nothing after the request, and may go on.
        case answered
        /// An event loop is to go on: with what was read and is not answered, and what could not be sent of an answer.
        case goesOn(received: ByteBuffer, unsent: (ByteBuffer, Reply)? = nil)
        /// The connection has ended, or ends with the answer.
        case over
    }

    private let responder: Responder
    /// Memory for what is read, wiped after each look, because it may be a PIN.
    private var received = ByteBuffer()
    /// Memory for the answer, wiped as well.
    private var answer = ByteBuffer()

    /// The longest request with a PIN comes whole, so that no second place gets a part of it.
    private let most: Int

    init(responder: Responder) {
        self.responder = responder
        most = responder.limits.pipelinedBytes
    }

    mutating func look(at descriptor: CInt, of caller: Caller) -> Outcome {
        var (count, failure) = (0, CInt(0))
        unsafe received.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { memory in
            count = unsafe recv(descriptor, memory.baseAddress, most, Int32(MSG_DONTWAIT))
            failure = errno
            return max(0, count)
        }
        guard count > 0 else { return count < 0 && [EAGAIN, EINTR].contains(failure) ? .silent : .over }
        var parser = RequestHeadParser(limits: responder.limits)
        guard let (head, length) = try? parser.read(received.readableBytesUInt8Span),
            let reply = responder.replyAtOnce(to: head, of: caller)
        else { return .goesOn(received: takeReceived()) }
        received.readSlice(length: length)?.wipeInPlace()
        if received.readableBytes == 0 { received.clear() }
        reply.write(to: &answer)
        return send(reply, to: descriptor)
    }

    private mutating func send(_ reply: Reply, to descriptor: CInt) -> Outcome {
        var (count, failure) = (0, CInt(0))
        unsafe answer.withUnsafeReadableBytes { bytes in
            count = unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            failure = errno
        }
        if reply.holdsSecret {
            answer.readSlice(length: max(0, count))?.wipeInPlace()
        } else {
            answer.moveReaderIndex(forwardBy: max(0, count))
        }
        defer { answer.clear() }
        if answer.readableBytes > 0, count >= 0 || failure == EAGAIN {
            defer { answer = ByteBuffer() }
            return .goesOn(received: takeReceived(), unsent: (answer, reply))
        }
        if count >= 0, !reply.isLast {
            return received.readableBytes > 0 ? .goesOn(received: takeReceived()) : .answered
        }
        if reply.holdsSecret { answer.wipeInPlace() }
        received.wipeInPlace()
        received.clear()
        return .over
    }

    private mutating func takeReceived() -> ByteBuffer {
        guard received.readableBytes > 0 else { return ByteBuffer() }
        defer { received = ByteBuffer() }
        return received
    }
}
