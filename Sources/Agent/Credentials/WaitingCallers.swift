import AgentAPI
import Prompts

/// The callers that wait for a profile's flight, each with its deadline.
struct WaitingCallers {
    struct Caller {
        /// Only a new session will do.
        let wantsNew: Bool
        /// Boot time in milliseconds.
        let giveUpAt: Int64
        /// When to look for a fallback; then `giveUpAt`.
        var answerAt: Int64
        var asking: Asking?
        /// Whether a person may be made to act for it.
        let mayGesture: Bool
        let continuation: CheckedContinuation<Result<CachedCredentials, Problem>, Never>
    }

    private var callers: [UInt64: Caller] = [:]

    var count: Int { callers.count }
    var isEmpty: Bool { callers.isEmpty }
    /// Boot time in milliseconds.
    var nextAnswer: Int64? { callers.values.lazy.map(\.answerAt).min() }

    /// One of them who can be asked for a PIN.
    var asking: Asking? { callers.values.lazy.compactMap(\.asking).first }

    /// Whether a person may be made to act for one of them.
    var mayGesture: Bool { callers.values.contains(where: \.mayGesture) }

    mutating func add(_ id: UInt64, _ caller: Caller) { callers[id] = caller }

    mutating func remove(_ id: UInt64, _ problem: Problem) {
        callers.removeValue(forKey: id)?.continuation.resume(returning: .failure(problem))
    }

    /// Answers all: with the outcome or, where that is a failure and they can do with it, with the fallback.
    mutating func answerAll(_ outcome: Result<CachedCredentials, Problem>, fallback: CachedCredentials?) {
        for caller in callers.values {
            if case .failure = outcome, !caller.wantsNew, let fallback {
                caller.continuation.resume(returning: .success(fallback))
            } else {
                caller.continuation.resume(returning: outcome)
            }
        }
        callers = [:]
    }

    /// Answers those whose patience is at its end, with the fallback or, when there is no more time, with the problem.
    ///
    /// - Returns: Whether a caller had to take the fallback.
    mutating func answerOverdue(at now: Moment, fallback: CachedCredentials?, _ problem: Problem) -> Bool {
        var hasFallenBack = false
        for (id, caller) in callers.filter({ $0.value.answerAt <= now.boot }) {
            if !caller.wantsNew, let fallback {
                caller.continuation.resume(returning: .success(fallback))
                hasFallenBack = true
            } else if caller.giveUpAt <= now.boot {
                caller.continuation.resume(returning: .failure(problem))
            } else {
                callers[id]?.answerAt = caller.giveUpAt
                continue
            }
            callers[id] = nil
        }
        return hasFallenBack
    }
}
