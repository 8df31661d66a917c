import AgentAPI
import Prompts

/// The calls that wait for a profile's flight, each with its deadline. Pure: whom it answers is carried out by others.
struct WaitingCallers {
    private struct Caller {
        /// Only a new session will do.
        let wantsNew: Bool
        /// Boot time in milliseconds.
        let giveUpAt: Int64
        /// When to look for a session that is still valid; then `giveUpAt`.
        var answerAt: Int64
        let asking: Asking?
        /// Whether a person may be made to act for it.
        let mayGesture: Bool
        let code: BroughtCode?
    }

    /// The outcome of a call's wait.
    typealias Answer = (call: UInt64, outcome: Result<CachedCredentials, Problem>)

    /// By their calls' numbers, in whose order they are answered.
    private var callers: [UInt64: Caller] = [:]

    var count: Int { callers.count }
    var isEmpty: Bool { callers.isEmpty }
    /// Boot time in milliseconds.
    var nextAnswer: Int64? { callers.values.lazy.map(\.answerAt).min() }

    /// One of them who can be asked for a PIN.
    var asking: Asking? { callers.values.lazy.compactMap(\.asking).first }

    /// An MFA code that one of them has brought, and that no attempt has taken.
    var code: BroughtCode? { callers.values.lazy.compactMap(\.code).first { !$0.isTaken } }

    /// Whether a person may be made to act for one of them.
    var mayGesture: Bool { callers.values.contains(where: \.mayGesture) }

    /// - Parameter answerAt: When it takes a session that is still valid in the place of a new one, in boot time.
    mutating func add(_ call: SessionCall, answerAt: Int64, giveUpAt: Int64) {
        callers[call.id] = Caller(
            wantsNew: call.wantsNew, giveUpAt: giveUpAt, answerAt: answerAt, asking: call.asking,
            mayGesture: call.mayGesture, code: call.person.code)
    }

    mutating func remove(_ call: UInt64) { callers[call] = nil }

    /// Answers all: with the outcome or, where that is a failure and they can do with it, with what is still valid.
    mutating func answerAll(
        _ outcome: Result<CachedCredentials, Problem>, fallback: CachedCredentials?
    ) -> [Answer] {
        defer { callers = [:] }
        return callers.sorted { $0.key < $1.key }.map { id, caller in
            if case .failure = outcome, !caller.wantsNew, let fallback { return (id, .success(fallback)) }
            return (id, outcome)
        }
    }

    /// Answers those whose patience is at its end, with what is still valid or, when there is no more time, with the problem.
    mutating func answerOverdue(at now: Moment, fallback: CachedCredentials?, _ problem: Problem) -> [Answer] {
        var answers: [Answer] = []
        for (id, caller) in callers.filter({ $0.value.answerAt <= now.boot }).sorted(by: { $0.key < $1.key }) {
            if !caller.wantsNew, let fallback {
                answers.append((id, .success(fallback)))
            } else if caller.giveUpAt <= now.boot {
                answers.append((id, .failure(problem)))
            } else {
                callers[id]?.answerAt = caller.giveUpAt
                continue
            }
            callers[id] = nil
        }
        return answers
    }
}
