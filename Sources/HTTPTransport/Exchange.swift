import CLinux
import Dispatch
import Synchronization

/// Where a task and the thread that runs its transfer meet.
///
/// The thread tells what happened; the task answers `.connected` with headers, or gives up, at any time.
final class Exchange: Sendable {
    enum Event: Sendable {
        /// TLS stands, and the thread waits for `proceed` or `abandon`.
        case connected
        case finished(Result<HTTPResponse, any Error>)
    }

    private struct State {
        /// At most one of these two is there.
        var undelivered: Event?
        var waiter: CheckedContinuation<Event, Never>?
        var headers: [HTTPHeader]?
        var isAbandoned = false
    }

    private let state = Mutex(State())
    private let decided = DispatchSemaphore(value: 0)

    /// Begins the transfer, on a thread of its own: libcurl blocks, and so does the wait for a token.
    func start(_ request: HTTPRequest, _ limits: HTTPLimits) {
        // A private queue borrows a thread that Swift's cooperative pool does not count on, and gives it back.
        DispatchQueue(label: "tokenward.http").async { [self] in
            let result = Result { try Transfer(request, limits, self).perform() }
            clinux_wipe_stack()
            deliver(.finished(result))
        }
    }

    /// The next event; one caller at a time.
    func next() async -> Event {
        await withCheckedContinuation { continuation in
            let event: Event? = state.withLock { state in
                defer { state.undelivered = nil }
                if state.undelivered == nil { state.waiter = continuation }
                return state.undelivered
            }
            if let event { continuation.resume(returning: event) }
        }
    }

    func proceed(with headers: [HTTPHeader]) {
        state.withLock { $0.headers = headers }
        decided.signal()
    }

    func abandon() {
        state.withLock { $0.isAbandoned = true }
        decided.signal()
    }

    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// Says that the connection stands, and blocks until the task has decided: the late headers, or `nil` to give up.
    func headersWhenConnected() -> [HTTPHeader]? {
        deliver(.connected)
        decided.wait()
        return state.withLock { $0.isAbandoned ? nil : $0.headers }
    }

    private func deliver(_ event: Event) {
        let waiter: CheckedContinuation<Event, Never>? = state.withLock { state in
            defer { state.waiter = nil }
            if state.waiter == nil { state.undelivered = event }
            return state.waiter
        }
        waiter?.resume(returning: event)
    }
}
