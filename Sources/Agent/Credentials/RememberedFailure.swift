import AgentAPI

/// The last failure, and how long no other attempt is made.
struct RememberedFailure: Sendable {
    let cause: SourceFailure
    /// How many there were in a row.
    let count: Int
    private let at: Moment
    /// Boot time in milliseconds; nil: until the state of the token has changed.
    let until: Int64?
    /// Whether somebody was there who could be asked for a PIN.
    var wasAsked = false

    /// - Parameter remaining: What is left of the session that is held, in milliseconds.
    init(
        _ cause: SourceFailure, count: Int, at now: Moment, remaining: Int64?,
        random: (ClosedRange<Int64>) -> Int64
    ) {
        self.cause = cause
        self.count = count
        at = now
        until =
            switch cause.kind {
            case .transient(let seconds):
                now.boot
                    + max(
                        Self.pause(count: count, remaining: remaining, random: random),
                        Int64(min(max(seconds ?? 0, 0), 600)) * 1000)
            case .permanent: now.boot + 900_000
            case .gesture: now.boot + ((remaining ?? 0) >= SessionValidity.leastHandedOut ? 60_000 : 2_000)
            case .state: nil
            }
    }

    /// 1 s × 2ⁿ, half of it random; at most 300 s, at most 30 s into or within the last ten minutes of the session;
    /// never less than the second for which an error is remembered.
    static func pause(count: Int, remaining: Int64?, random: (ClosedRange<Int64>) -> Int64) -> Int64 {
        let cap = remaining.map { min(max($0 - 570_000, 30_000), 300_000) } ?? 300_000
        let step = min(cap, 1000 << min(max(Int64(count) - 1, 0), 9))
        return max(1000, step / 2 + random(0...step / 2))
    }

    /// Nothing has failed: the answer was no, for as long as nothing changes.
    var isRefusal: Bool { cause.kind == .state || cause.kind == .permanent }

    /// Whether a change of the tokens or of the configuration may have cured it. A module that failed may have failed
    /// because its card was pulled, and the change is that the card is back.
    var isCurable: Bool { isRefusal || [.moduleFailed, .moduleTimeout].contains(cause.problem.code) }

    func isInForce(at now: Moment) -> Bool {
        if cause.kind == .permanent, now.isSetApart(from: at) { return false }  // a wrong clock may have been the cause
        guard let until else { return true }
        return now.boot < until
    }

    /// Whether all that was missing is somebody to ask for the PIN.
    var needsSomebodyToAsk: Bool { cause.kind == .state && cause.problem.code == .pinNeeded && !wasAsked }

    /// Whether a caller who can be asked for a PIN may try all the same: where nobody could before, or where the caller
    /// wants to be asked again.
    func yields(to asking: Asking?) -> Bool {
        guard let asking, cause.kind == .state else { return false }
        switch cause.problem.code {
        case .pinNeeded: return needsSomebodyToAsk || asking.isExplicit
        case .pinIncorrect: return asking.isExplicit
        default: return false
        }
    }

    /// What callers are told meanwhile.
    func problem(at now: Moment) -> Problem {
        var problem = cause.problem
        problem.retryAfter = until.map { now.seconds(until: $0) }
        return problem
    }
}
