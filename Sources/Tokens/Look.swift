import Synchronization
import TokenService

/// A look at a module's tokens that is under way, and the one list of those who wait for it: to wait starts no task and
/// leaves none behind.
final class Look: Sendable {
    typealias Outcome = Result<[TokenSnapshot], ModuleFailure>

    private let state = Mutex(State())

    private struct State {
        var outcome: Outcome?
        var waiting: [UInt64: CheckedContinuation<Outcome?, Never>] = [:]
        var last: UInt64 = 0
    }

    /// How many wait.
    var waiters: Int { state.withLock(\.waiting.count) }

    /// Waits for the outcome.
    ///
    /// - Returns: Nil at the end of a step, after which the caller may wait again; nil at once in a cancelled task.
    func outcome() async -> Outcome? {
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (outcome, waits) = state.withLock { state -> (Outcome?, Bool) in
                    // A task is cancelled before its handler runs, so that one of the two finds the other.
                    guard state.outcome == nil, !Task.isCancelled else { return (state.outcome, false) }
                    state.waiting[number] = continuation
                    return (nil, true)
                }
                if !waits { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: nil)
        }
    }

    /// Lets those who wait judge whether they still want to.
    func endStep() { answerAll(nil) }

    func end(with outcome: Outcome) { answerAll(outcome) }

    private func answerAll(_ outcome: Outcome?) {
        let waiting = state.withLock { state in
            state.outcome = state.outcome ?? outcome
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: outcome) }
    }
}
