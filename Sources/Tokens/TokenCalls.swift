import Synchronization

/// The logins and signatures that a module's workers are at, and since when: while one takes long, others may have to
/// wait for its card, which is then no fault of theirs.
final class TokenCalls: Sendable {
    private let state = Mutex(State())

    private struct State {
        var last: UInt64 = 0
        var begun: [UInt64: (at: Int64, by: ObjectIdentifier)] = [:]
    }

    /// What takes longer than this, in milliseconds, may be a person's touch.
    static let long: Int64 = 1000

    /// - Parameters:
    ///   - now: Milliseconds of boot time.
    ///   - worker: Who makes the call.
    /// - Returns: What `end` takes.
    func begin(at now: Int64, by worker: ObjectIdentifier) -> UInt64 {
        state.withLock { state in
            state.last += 1
            state.begun[state.last] = (now, worker)
            return state.last
        }
    }

    func end(_ call: UInt64) { state.withLock { $0.begun[call] = nil } }

    /// Whether one has been under way for long; of this worker, where one is named.
    func isLong(at now: Int64, by worker: ObjectIdentifier? = nil) -> Bool {
        state.withLock { state in
            state.begun.values.contains { now - $0.at >= Self.long && (worker ?? $0.by) == $0.by }
        }
    }
}
