import Glibc

/// Waits for the signals that end the program or have it read its configuration again.
struct EndingSignals {
    enum Event { case end, reload }

    private let signals: sigset_t

    /// Blocks the signals for this thread and those that it starts, so that they wait here to be taken.
    init() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&signals, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        self.signals = signals
        signal(SIGPIPE, SIG_IGN)
    }

    /// - Parameter deadline: When to end in any case.
    func next(until deadline: ContinuousClock.Instant?) -> Event {
        var signals = signals
        while true {
            let left = deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) } ?? .seconds(86_400)
            var wait = timespec(tv_sec: Int(left.components.seconds), tv_nsec: 0)
            wait.tv_nsec = Int(left.components.attoseconds / 1_000_000_000)
            switch unsafe sigtimedwait(&signals, nil, &wait) {
            case SIGHUP: return .reload
            case SIGTERM, SIGINT: return .end
            default: if let deadline, ContinuousClock.now >= deadline { return .end }
            }
        }
    }

    /// Sends this process SIGTERM when standard input ends. The thread that waits for it ends with the process.
    func endWithStandardInput() {
        var thread = pthread_t()
        unsafe pthread_create(
            &thread, nil,
            { _ in
                var buffer = [UInt8](repeating: 0, count: 4096)
                while unsafe read(STDIN_FILENO, &buffer, buffer.count) > 0 {}
                kill(getpid(), SIGTERM)
                return nil
            }, nil)
    }
}
