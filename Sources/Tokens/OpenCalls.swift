import ModuleFiles
import Synchronization
import TokenService

/// Whether a login or a signature may still be sent to its worker. A lock revokes it: a call that waits for its turn, or for
/// a worker to start, must not reach the token after the lock has been answered.
final class CallPermit: Sendable {
    private let state = Mutex(false)

    var isRevoked: Bool { state.withLock(\.self) }

    func revoke() { state.withLock { $0 = true } }
}

/// The logins and signatures that have been asked for and have not ended.
///
/// While one waits for a person its module is asked nothing else, because some modules answer nothing else (OpenSC holds a
/// global lock), and a call that is not answered would cost the worker its life.
struct OpenCalls: Sendable {
    struct Call: Sendable {
        let id: UInt64
        let permit: CallPermit
    }

    enum Stage: Hashable, Sendable {
        /// The module can be asked for other things.
        case quiet
        /// A login that no person has to end. It must not be cut short either: whether its PIN was wrong would not be known.
        case login
        /// A person is, or may be, asked to end it; nil: people are not told yet.
        case gesture(Gesture?)
    }

    private struct State: Sendable {
        let key: TokenKey
        let permit: CallPermit
        let isSignature: Bool
        var stage: Stage

        var isGesture: Bool { if case .gesture = stage { true } else { false } }
    }

    private var calls: [UInt64: State] = [:]
    private var last: UInt64 = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// - Returns: What `end` takes.
    mutating func begin(_ key: TokenKey, _ stage: Stage = .quiet, isSignature: Bool = false) -> Call {
        last += 1
        let call = Call(id: last, permit: CallPermit())
        calls[last] = State(key: key, permit: call.permit, isSignature: isSignature, stage: stage)
        return call
    }

    mutating func note(_ call: Call, _ stage: Stage) {
        calls[call.id]?.stage = stage
        if stage == .quiet { resumeWaiters() }
    }

    mutating func end(_ call: Call) {
        calls[call.id] = nil
        resumeWaiters()
    }

    /// Resumes when some call has ended: look again then.
    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) { waiters.append(continuation) }

    private mutating func resumeWaiters() {
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    func revoke(where isLocked: (TokenKey) -> Bool) {
        for call in calls.values where isLocked(call.key) { call.permit.revoke() }
    }

    func haveSignature(on key: TokenKey) -> Bool { calls.values.contains { $0.isSignature && $0.key == key } }

    /// What people are told that the token waits for.
    func gesture(on key: TokenKey) -> Gesture? {
        for call in calls.values where call.key == key {
            if case .gesture(let gesture?) = call.stage { return gesture }
        }
        return nil
    }

    func awaitGesture(on key: TokenKey) -> Bool { calls.values.contains { $0.isGesture && $0.key == key } }

    func awaitGesture(of module: ModuleIdentity) -> Bool {
        calls.values.contains { $0.isGesture && $0.key.module == module }
    }

    /// Whether the module may have good reason not to answer a request that only asks whether it is alive.
    func excuse(_ module: ModuleIdentity) -> Bool {
        calls.values.contains { $0.stage != .quiet && $0.key.module == module }
    }
}
