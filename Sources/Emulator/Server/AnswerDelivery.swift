import NIOCore
import NIOHTTP1

/// Puts one answer on the wire, in the way that the answer asks for.
struct AnswerDelivery {
    let context: ChannelHandlerContext
    let keepsAlive: Bool

    func deliver(_ answer: Answer) {
        guard context.channel.isActive else { return }
        switch answer.delivery {
        case .whole:
            writeHead(answer, length: answer.body.count)
            context.write(part(ByteBuffer(bytes: answer.body)), promise: nil)
            end()
        case .truncated:
            writeHead(answer, length: answer.body.count)
            closeAfter(context.writeAndFlush(part(ByteBuffer(bytes: answer.body.prefix(answer.body.count / 2)))))
        case .drip:
            writeHead(answer, length: answer.body.count)
            drip(answer.body[...])
        case .endless(let byteCount):
            writeHead(answer, length: byteCount)
            pour(byteCount)
        case .close: context.close(promise: nil)
        case .hang: break
        }
    }

    private func writeHead(_ answer: Answer, length: Int) {
        var headers = HTTPHeaders(answer.headers.map { ($0.name, $0.value) })
        headers.replaceOrAdd(name: "Content-Length", value: String(length))
        if !keepsAlive { headers.replaceOrAdd(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        context.write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
    }

    private func part(_ bytes: ByteBuffer) -> NIOAny { NIOAny(HTTPServerResponsePart.body(.byteBuffer(bytes))) }

    private func end() {
        let written = context.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)))
        if !keepsAlive { closeAfter(written) }
    }

    /// To close at once would drop what the socket has not taken yet.
    private func closeAfter(_ written: EventLoopFuture<Void>) {
        written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    /// One byte a second until the body ends or the client has enough.
    private func drip(_ rest: ArraySlice<UInt8>) {
        guard context.channel.isActive else { return }
        guard let byte = rest.first else { return end() }
        context.writeAndFlush(part(ByteBuffer(bytes: [byte])), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { drip(rest.dropFirst()) }
    }

    /// Writes as fast as the client reads, a piece at a time.
    private func pour(_ remaining: Int) {
        guard remaining > 0 else { return end() }
        let count = min(remaining, 65_536)
        let written = context.writeAndFlush(part(ByteBuffer(repeating: UInt8(ascii: " "), count: count)))
        written.assumeIsolated().whenSuccess { pour(remaining - count) }
    }
}
