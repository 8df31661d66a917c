import AgentAPI

/// Where a profile stands: what is held, what is under way, what went wrong last. Pure; the cache acts on it.
struct ProfileState {
    enum Activity {
        case idle
        case flying(Flight)
        /// No attempt until `unlock`.
        case locked
    }

    /// One attempt under way.
    struct Flight {
        let id: UInt64
        /// Boot time in milliseconds.
        let began: Int64
        let task: Task<Void, Never>
        /// The person who can be asked for a PIN on the way.
        var asking: Asking?
        /// The configuration or the token changed since, so a refusal may no longer hold.
        var isOutdated = false
        /// It was begun in the place of an outdated one.
        var isRepeated = false
        /// Somebody has waited in vain, so nobody else waits who can do without.
        var isSlow = false
    }

    var activity = Activity.idle
    var session: HeldSession?
    var failure: RememberedFailure?
    var budget = AttemptBudget()
    /// When a caller last forced a refresh, boot time in milliseconds.
    var lastForced: Int64?
    /// Who waits for the flight; empty without one.
    var waiters = WaitingCallers()

    var flight: Flight? {
        if case .flying(let flight) = activity { flight } else { nil }
    }

    /// What can be handed out if need be, though better is wished for.
    func fallback(at now: Moment) -> CachedCredentials? {
        guard let session, session.validity.canBeHandedOut(at: now) else { return nil }
        return session.credentials
    }

    /// Until this boot time nobody waits for better than the fallback: the service is known not to answer. After a
    /// missed touch, or when the PIN is needed, only callers cause attempts, so one of them has to come through.
    var lenientUntil: Int64 {
        if flight?.isSlow == true { return .max }
        guard let failure, !failure.needsSomebodyToAsk else { return .min }
        return failure.cause.kind == .gesture ? failure.until ?? .max : .max
    }

    /// Why no attempt may start now; nil if one may.
    func refusal(
        at now: Moment, _ share: AttemptBudget.Share, of name: ProfileName, asking: Asking? = nil
    ) -> Problem? {
        // A person who asks by name may be asked again: for the touch, or for the PIN. The rules for PINs hold all the
        // same. One who can be asked is no worse off for others who could not.
        let isNamed = share == .half && [.gesture, .state].contains(failure?.cause.kind)
        let isAskedAgain = isNamed || failure?.yields(to: asking) == true
        if let failure, failure.isInForce(at: now), !isAskedAgain { return failure.problem(at: now) }
        let allowed = budget.nextAllowed(share)
        guard allowed > now.boot else { return nil }
        var problem = failure?.cause.problem ?? CredentialCache.exhausted(name)
        problem.retryAfter = now.seconds(until: allowed)
        return problem
    }

    /// Milliseconds to the next attempt that no caller has to ask for, zero when it is due; nil if none is planned.
    func untilAttempt(at now: Moment) -> Int64? {
        guard case .idle = activity, let session, failure?.cause.kind != .gesture else { return nil }
        var delay = max(0, session.validity.remaining(at: now) - session.refreshLead)
        if let failure, failure.isInForce(at: now) {
            guard let until = failure.until else { return nil }
            delay = max(delay, until - now.boot)
        }
        let allowed = budget.nextAllowed(.whole)
        return allowed > now.boot ? max(delay, allowed - now.boot) : delay
    }

    mutating func remember(
        _ cause: SourceFailure, wasAsked: Bool, at now: Moment, random: (ClosedRange<Int64>) -> Int64
    ) {
        failure = RememberedFailure(
            cause, count: (failure?.count ?? 0) + 1, at: now, remaining: session?.validity.remaining(at: now),
            random: random)
        failure?.wasAsked = wasAsked
        if cause.kind == .gesture { lastForced = nil }
    }

    /// Forgets a failure that a change may have cured. Pauses stay: no change here makes the network whole, or a
    /// human less tired of prompts.
    mutating func forgetCurable() {
        if failure?.isCurable == true { failure = nil }
        guard var flight else { return }
        flight.isOutdated = true
        activity = .flying(flight)
    }

    mutating func markRepeated(_ isRepeated: Bool) {
        guard var flight else { return }
        flight.isRepeated = isRepeated
        activity = .flying(flight)
    }

    mutating func markSlow() {
        guard var flight else { return }
        flight.isSlow = true
        activity = .flying(flight)
    }

    func status(at now: Moment, isUsed: Bool, needsPerson: Bool) -> CredentialStatus {
        var isLocked = false
        if case .locked = activity { isLocked = true }
        return CredentialStatus(
            expiration: session?.credentials.expiration, accessKeyID: session?.credentials.accessKeyID,
            isLocked: isLocked, isRefreshing: flight != nil, waiting: waiters.count,
            lastError: failure?.problem(at: now),
            nextAttempt: isUsed && !needsPerson ? untilAttempt(at: now).map { (now.wall + $0 + 999) / 1000 } : nil,
            nextNeeded: session.map { session in
                (now.wall + max(0, session.validity.remaining(at: now) - session.validity.floor) + 999) / 1000
            })
    }
}
