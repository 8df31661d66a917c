import CLinux
import Dispatch
import Glibc
import PCSC
import TokenService

/// Tells the agent which cards come and go, and resets those that a worker has left logged in. It says nothing else to a
/// card, and knows no PIN.
package enum CardWatcher {
    /// Serves the agent at the other end of `socket` until it is gone.
    ///
    /// - Returns: The exit code.
    package static func run(socket: Int32) -> Int32 {
        guard clinux_harden_process() == 0, clinux_turn_off_crash_reports() == 0 else { return 71 }  // EX_OSERR
        guard fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 else { return 71 }
        for ignored in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { signal(ignored, SIG_IGN) }  // the socket's end is the end
        let channel = AgentChannel(socket: socket)
        let watch = ReaderWatch(channel: channel)
        DispatchQueue(label: "readers").async { watch.run() }
        let resets = DispatchQueue(label: "resets")
        while let received = channel.receive() {
            guard case .readers(let request) = received.request else { break }
            switch request {
            case .after(let version): watch.answer(received.number, after: version)
            case .now: channel.send(.readers(watch.now()), to: received.number)
            case .reset(let reader):
                // It may wait for another program, and news of cards must not.
                resets.async { channel.send(reset(reader), to: received.number) }
            }
        }
        _exit(0)
    }

    /// Resets a card whose worker cannot do it any more.
    private static func reset(_ reader: [UInt8]) -> Reply {
        do throws(PCSCError) {
            let context = try ReaderContext()
            let left = CardReset.failure(of: reader, among: try context.names()) { context.reset($0) }
            guard left == 0 else { throw PCSCError(code: left) }
            return .reset
        } catch {
            return .failed(WorkerFailure(.function, text: "PC/SC: \(error)"))
        }
    }
}
