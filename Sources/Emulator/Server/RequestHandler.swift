import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS

/// Collects a request, has the service answer it, and delivers the answer as it asks for.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let maximumBody = 1 << 20

    private let service: EmulatorService
    /// Nil for all services but IoT's.
    private let clients: ClientRules?
    private var peer: ReceivedRequest.Peer?
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ service: EmulatorService, _ clients: ClientRules?) {
        self.service = service
        self.clients = clients
    }

    func channelActive(context: ChannelHandlerContext) {
        service.noteConnection()
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { noteHandshake(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func noteHandshake(_ context: ChannelHandlerContext) {
        guard let clients else { return service.noteHandshake() }
        // Without the handler there would have been no handshake, and without a certificate none that succeeds.
        guard let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
            let certificate = try? handler.peerCertificate?.toDERBytes()
        else { return }
        peer = ReceivedRequest.Peer(certificate: certificate)
        service.noteIoTHandshake(
            version: handler.tlsVersion == .tlsv13 ? "TLSv1.3" : "TLSv1.2", algorithm: clients.onlyAlgorithm)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A failed handshake, or a peer that left: an answer would reach no one.
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let part):
            guard body.count + part.readableBytes <= Self.maximumBody else {
                context.close(promise: nil)
                return
            }
            body += part.readableBytesView
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var request = ReceivedRequest(
            method: head.method.rawValue, target: head.uri,
            headers: head.headers.map { ReceivedRequest.Header($0.name, $0.value) }, body: body)
        body = []
        request.peer = peer
        let answer = clients == nil ? service.handle(request) : service.handleIoT(request)
        let delivery = AnswerDelivery(context: context, keepsAlive: head.isKeepAlive)
        guard answer.delayMilliseconds > 0 else { return delivery.deliver(answer) }
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(answer.delayMilliseconds)) {
            delivery.deliver(answer)
        }
    }
}
