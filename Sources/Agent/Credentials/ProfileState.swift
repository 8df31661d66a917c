import AgentAPI
import Files
import Prompts

/// Where a profile stands: what is held, what is under way, what went wrong last. Pure; the cache acts on it.
struct ProfileState {
    /// One attempt under way.
    struct Flight {
        enum Stage: Hashable {
            /// At the files that it will read, so that no change of them is missed.
            case looking
            /// For the session of the profile's base, by this call.
            case awaitingBase(UInt64)
            /// The source.
            case asking
        }

        /// An attempt that takes longer, in milliseconds, is given up: no source takes ten minutes, but a hung one must not
        /// hold a profile for ever.
        static let longest: Int64 = 600_000

        let id: UInt64
        /// Boot time in milliseconds.
        let began: Int64
        let occasion: Occasion
        let share: AttemptBudget.Share
        /// The person who can be asked for a PIN on the way, and whether one may be made to act.
        let person: SessionCall.Person
        var stage = Stage.looking
        /// The files that it reads, as they were when it began; nil if they could not be looked at in time.
        var files: [FileStamp?]?
        /// The configuration or the token changed since, so what a token lacked it may have now.
        var isOutdated = false
        /// It was begun in the place of an outdated one.
        var isRepeated = false
        /// The profiles whose sessions it signs with.
        var madeOf: [ProfileName] = []
        /// A caller has waited in vain, so callers that have a fallback no longer wait.
        var isSlow = false
    }

    var flight: Flight?
    var session: CachedCredentials?
    var failure: RememberedFailure?
    var budget = AttemptBudget()
    /// When the owner, and another user, last forced a refresh that went well, boot time in milliseconds.
    private var lastForced: [AttemptBudget.Share: Int64] = [:]
    /// The fallback whose sessions callers got last in the place of its own.
    var standIn: ProfileName?
    /// The callers that wait for the flight; empty without one.
    var waiters = WaitingCallers()

    /// Whether what is held, or under way, is made of a session of one of these profiles.
    func isMade(of names: Set<ProfileName>) -> Bool {
        !names.isDisjoint(with: session?.profiles ?? []) || !names.isDisjoint(with: flight?.madeOf ?? [])
    }

    /// Whether what is held, and under way, is made as these routes have it.
    func isMade(for name: ProfileName, along routes: ProfileRoutes) -> Bool {
        routes.lead(along: session?.profiles ?? []) && routes.lead(along: [name] + (flight?.madeOf ?? []))
    }

    /// Credentials that no caller needs to wait for better ones than.
    func ready(at now: Moment) -> CachedCredentials? {
        session.flatMap { $0.validity.isReady(at: now, lenientUntil: lenientUntil) ? $0 : nil }
    }

    /// Credentials that are still valid, but due for a refresh.
    func fallback(at now: Moment) -> CachedCredentials? {
        session.flatMap { $0.validity.canBeHandedOut(at: now) ? $0 : nil }
    }

    /// Until this boot time callers get the fallback without waiting: the service is known not to answer. After a
    /// missed touch, or when the PIN is needed, only callers cause attempts, so one of them has to come through.
    var lenientUntil: Int64 {
        if flight?.isSlow == true { return .max }
        guard let failure, !failure.needsSomebodyToAsk else { return .min }
        return failure.cause.retry == .person ? failure.until ?? .max : .max
    }

    /// Why no attempt may start now; nil if one may.
    ///
    /// A forced refresh is tried in spite of remembered failures: the budget is the only limit. The rules for PINs hold
    /// all the same. A caller who can be asked for a PIN is not refused because earlier callers could not be asked.
    func refusal(
        at now: Moment, _ share: AttemptBudget.Share, of name: ProfileName, asking: Asking? = nil
    ) -> Problem? {
        let isAskedAgain = share != .whole || failure?.yields(to: asking) == true
        if let failure, !failure.isOfBase, failure.isInForce(at: now), !isAskedAgain {
            return failure.rememberedProblem(of: name, at: now)
        }
        let allowed = budget.nextAllowed(share)
        guard allowed > now.boot else { return nil }
        if let failure { return failure.rememberedProblem(of: name, at: now, allowed: allowed) }
        var problem = CredentialCache.exhausted(name)
        problem.retryAfter = now.seconds(until: allowed)
        return problem
    }

    /// Why no attempt may start on this occasion: in the background none does where a person did not act for the last one.
    func refusal(at now: Moment, on occasion: Occasion) -> Problem? {
        guard occasion == .background, let failure, failure.cause.retry == .person else { return nil }
        return failure.problem(at: now)
    }

    /// Why no refresh may be forced now; nil if one may. A session that is not half a minute old is new enough.
    func refusalToForce(
        at now: Moment, _ share: AttemptBudget.Share, of name: ProfileName, asking: Asking?
    ) -> Problem? {
        if failure == nil, let last = lastForced[share], now.boot - last < 30_000 {
            return CredentialCache.refreshedLately(name, retryAfter: now.seconds(until: last + 30_000))
        }
        return refusal(at: now, share, of: name, asking: asking)
    }

    mutating func noteForced(_ share: AttemptBudget.Share, at now: Moment) { lastForced[share] = now.boot }

    /// Milliseconds to the next attempt that no caller has to ask for, zero when it is due; nil if none is planned.
    func untilAttempt(at now: Moment) -> Int64? {
        guard flight == nil, let session, failure?.cause.retry != .person else { return nil }
        var delay = max(0, session.validity.remaining(at: now) - session.refreshLead)
        if let failure {
            guard let pause = failure.pause(at: now) else { return nil }
            delay = max(delay, pause)
        }
        let allowed = budget.nextAllowed(.whole)
        return allowed > now.boot ? max(delay, allowed - now.boot) : delay
    }

    /// What becomes of those who wait for an attempt that has failed.
    enum Aftermath {
        case answer(Problem)
        /// Another attempt, whose failure ends it if `isRepeated`.
        case again(isRepeated: Bool)
    }

    /// Remembers why there is no new session; what is held stays.
    ///
    /// - Parameters:
    ///   - isOfBase: It was the base that had no session.
    ///   - isForeign: The token was asked for nothing, as a person would have had to act for another user.
    mutating func fail(
        _ cause: Problem, of flight: Flight, isOfBase: Bool, isForeign: Bool, at now: Moment,
        random: (ClosedRange<Int64>) -> Int64
    ) -> Aftermath {
        guard !isForeign else {
            lastForced = [:]  // nothing was asked for, so the next one need not wait
            return waiters.mayGesture ? .again(isRepeated: false) : .answer(cause)
        }
        let new = RememberedFailure(
            cause, count: (failure?.count ?? 0) + 1, wasAsked: flight.person.asking != nil, reading: flight.files,
            isOfBase: isOfBase, at: now, remaining: session?.validity.remaining(at: now), random: random)
        // "PIN needed", said before the PIN came. A module that failed has had its turn, and its deadline. A refusal by the
        // service is about what the token has signed: a change of the tokens, as the attempt's own login is one, is no reason
        // to have a person touch a key once more.
        let isVoid = flight.isOutdated && cause.retry == .token
        // The base remembers its own failure, and a refusal that this profile met itself stands meanwhile.
        let keepsOwn = isOfBase && failure.map { !$0.isOfBase && $0.isInForce(at: now) } == true
        if !keepsOwn { failure = isVoid ? nil : new }
        // No person could be asked for this attempt, but one of the callers that have come since may have one.
        let asking = flight.person.asking == nil ? waiters.asking : nil
        // Retry only once: the attempt's own login changes the token's state and would cause attempts without end.
        let hasCode = flight.person.code == nil && cause.code == .mfaNeeded && waiters.code != nil
        let isAgain = isVoid ? !flight.isRepeated : hasCode || new.yields(to: asking)
        return isAgain ? .again(isRepeated: isVoid) : .answer(new.problem(at: now))
    }

    /// Forgets a refusal that was made of other files than there are now.
    ///
    /// - Returns: Whether there was one.
    mutating func forgetRefusal(ifNotOf files: [FileStamp?]) -> Bool {
        guard failure?.isOutlived(by: files) == true else { return false }
        failure = nil
        return true
    }

    /// Forgets a failure that a change may have cured. Pauses stay: no change here makes the network whole, or a
    /// human less tired of prompts.
    mutating func forgetCurable() {
        if failure?.isCurable == true { failure = nil }
        flight?.isOutdated = true
    }

    /// - Parameter isKeptFresh: Whether it is refreshed in the background.
    func status(of name: ProfileName, at now: Moment, isKeptFresh: Bool) -> CredentialStatus {
        CredentialStatus(
            expiration: session?.expiration, isRefreshing: flight != nil, waiting: waiters.count,
            lastError: failure?.rememberedProblem(of: name, at: now),
            nextAttempt: isKeptFresh ? untilAttempt(at: now).map { (now.wall + $0 + 999) / 1000 } : nil,
            nextNeeded: session.map { session in
                (now.wall + max(0, session.validity.remaining(at: now) - session.validity.floor) + 999) / 1000
            }, standIn: session == nil ? standIn : nil)
    }
}
