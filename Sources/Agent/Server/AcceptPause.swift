import Glibc
import NIOCore

/// Keeps the loop from asking for a connection over and over that it has no descriptor for: epoll(7) goes on telling of it.
///
/// It ends the reading itself. NIO's `AcceptBackoffHandler` delays the next `read`, but after an accept(2) that failed
/// there is none: the earlier one still stands.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.milliseconds(100)
    /// Without trouble for this long, the next one is news.
    private static let calm = TimeAmount.seconds(60)

    private let warn: @Sendable (String) -> Void
    private var lastTrouble: NIODeadline?

    /// - Parameter warn: Called on the event loop, once for as long as the trouble lasts; it must not wait.
    init(warn: @escaping @Sendable (String) -> Void) { self.warn = warn }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else { return }
        let now = NIODeadline.now()
        if lastTrouble.map({ now - $0 > Self.calm }) ?? true { warn(Self.text(error.errnoCode)) }
        lastTrouble = now
        guard let options = context.channel.syncOptions, (try? options.setOption(.autoRead, value: false)) != nil
        else { return }  // the socket is closed
        let channel = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) {
            try? channel.value.syncOptions?.setOption(.autoRead, value: true)  // as above
        }
    }

    private static func text(_ errno: CInt) -> String {
        let what =
            switch errno {
            case EMFILE: "the agent has no descriptors left; raise its limit (ulimit -n, LimitNOFILE=)"
            case ENFILE: "the machine has no descriptors left; see fs.file-max"
            default: "the kernel has no memory left"
            }
        return "new connections wait: \(what)"
    }
}
