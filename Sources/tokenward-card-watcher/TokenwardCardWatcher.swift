import CLinux
import Dispatch
import Glibc
import TokenService

/// Tells the agent at the other end of descriptor 3 which cards come and go, and resets those that a worker has left
/// logged in. It says nothing else to a card, and knows no PIN.
///
/// A program of its own: the agent links no PC/SC, and a worker that did could not tell whether its module needs pcscd.
@main
enum TokenwardCardWatcher {
    static func main() {
        guard clinux_harden_process() == 0, clinux_turn_off_crash_reports() == 0 else { exit(71) }  // EX_OSERR
        guard fcntl(3, F_SETFD, FD_CLOEXEC) == 0 else { exit(71) }
        for ignored in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { signal(ignored, SIG_IGN) }  // the socket's end is the end
        let channel = AgentChannel(socket: 3)
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
                resets.async { channel.send(CardReset.reply(to: reader), to: received.number) }
            }
        }
        _exit(0)
    }
}
