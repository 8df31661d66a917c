import AgentAPI
import Files
import Prompts
import UTCTime

/// The last failure, and how long no other attempt is made: never longer than its cause can last.
struct RememberedFailure: Sendable {
    let cause: Problem
    /// How many there were in a row.
    let count: Int
    private let at: Moment
    /// Boot time in milliseconds; nil: until what was refused has changed.
    let until: Int64?
    /// The files that the attempt read, as they were when it began; nil if that is not known.
    private let files: [FileStamp?]?
    /// Whether a person could be asked for a PIN.
    private let wasAsked: Bool
    /// The base had no session, and remembers why by itself: callers are sent there, and what is in force here only paces
    /// the attempts in the background.
    let isOfBase: Bool

    /// - Parameter remaining: The time left of the session that is held, in milliseconds.
    init(
        _ cause: Problem, count: Int, wasAsked: Bool, reading files: [FileStamp?]?, isOfBase: Bool = false,
        at now: Moment, remaining: Int64?, random: (ClosedRange<Int64>) -> Int64
    ) {
        (self.cause, self.count, self.wasAsked, self.files, at) = (cause, count, wasAsked, files, now)
        self.isOfBase = isOfBase
        until =
            switch cause.retry {
            case .pause, .base:
                now.boot
                    + max(
                        Self.pause(count: count, remaining: remaining, random: random),
                        Int64(min(max(cause.retryAfter ?? 0, 0), 600)) * 1000)
            case .change: now.boot + 900_000
            case .person: now.boot + ((remaining ?? 0) >= SessionValidity.leastHandedOut ? 60_000 : 2_000)
            case .token: nil
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
    var isRefusal: Bool { cause.retry == .token || cause.retry == .change }

    /// Whether a change of the tokens or of the configuration may have cured it. A module that failed may have failed
    /// because its card was pulled, and the change is that the card is back.
    var isCurable: Bool { isRefusal || [.moduleFailed, .moduleTimeout].contains(cause.code) }

    /// Whether a new session of the base ends it.
    var endsWithBase: Bool { isOfBase || cause.retry == .base }

    /// Whether a refusal was made of other files than these.
    func isOutlived(by files: [FileStamp?]) -> Bool { isRefusal && files != self.files }

    /// Milliseconds for which no attempt is made: zero when it is over, nil where no time but only a change ends it.
    func pause(at now: Moment) -> Int64? {
        // Either clock may have been wrong, and then so was what it said of a certificate.
        if isRefusal, now.isSetApart(from: at) { return 0 }
        let ends = [until.map { $0 - now.boot }, cause.causeEnds.map { $0 * 1000 - now.wall }].compactMap(\.self)
        return ends.min().map { max(0, $0) }
    }

    func isInForce(at now: Moment) -> Bool { pause(at: now) != 0 }

    /// Whether the attempt failed only because no person could be asked for the PIN, or for an MFA code.
    var needsSomebodyToAsk: Bool {
        !wasAsked && (cause.code == .mfaNeeded || cause.retry == .token && cause.code == .pinNeeded)
    }

    /// Whether a caller who can be asked for a PIN may try all the same: if no caller could be asked before, or if this
    /// one wants to be asked again.
    func yields(to asking: Asking?) -> Bool {
        guard let asking, cause.retry == .token || cause.code == .mfaNeeded else { return false }
        switch cause.code {
        case .pinNeeded, .mfaNeeded: return needsSomebodyToAsk || asking.isExplicit
        case .pinIncorrect: return asking.isExplicit
        default: return false
        }
    }

    /// The problem for callers that have waited for the attempt.
    func problem(at now: Moment) -> Problem {
        var problem = cause
        problem.retryAfter = pause(at: now).map { now.seconds(until: now.boot + $0) }
        return problem
    }

    /// The problem for callers that come later: no attempt was made for them, and until when none will be.
    ///
    /// - Parameter allowed: When the profile's attempts allow another one, boot time in milliseconds.
    func rememberedProblem(of name: ProfileName, at now: Moment, allowed: Int64 = .min) -> Problem {
        var problem = problem(at: now)
        guard !isOfBase || allowed > now.boot else { return problem }
        if allowed > now.boot {
            let pause = max(pause(at: now) ?? 0, allowed - now.boot)
            problem.retryAfter = now.seconds(until: now.boot + pause)
        }
        if let seconds = problem.retryAfter {
            let end = UTCTime(secondsSince1970: now.wall / 1000 + Int64(seconds))
            problem.append(" (remembered until \(end, .rememberedUntil)\(isRefusal ? " at the latest" : ""))")
        } else {
            problem.append(" (remembered until something changes)")
        }
        if cause.retry == .change, cause.code != .mfaNeeded {  // its hint is to ask again
            let again = "'tokenward refresh \(name)' asks again"
            problem.hint = problem.hint.map { "\($0); \(again)" } ?? again
        }
        return problem
    }
}
