import AgentAPI
import Files

/// What the cache knows of the profiles along their chains: which sessions are held and of which others they are made, which
/// fallback stands in, what is under way and what was refused. It decides what callers get of that, and what a change takes
/// along.
///
/// A pure value, which knows no clock and no source. `SessionRequests` tells it what callers and attempts do.
struct SessionChains {
    private let surroundings: CacheSurroundings
    private var profiles: [ProfileName: ProfileState]
    private var routes: ProfileRoutes
    private var isStopped = false
    /// When another user was last refused because a person is needed, in boot time.
    private var refusedGesture: Int64?
    /// The profiles whose states have changed since the steps were taken.
    private var changed: Set<ProfileName> = []
    private var steps: [CacheStep] = []

    init(profiles: Set<ProfileName>, routes: ProfileRoutes, _ surroundings: CacheSurroundings) {
        self.profiles = Dictionary(uniqueKeysWithValues: profiles.map { ($0, ProfileState()) })
        self.routes = routes
        self.surroundings = surroundings
    }

    /// What is to be published and noted since this was asked last.
    mutating func takeSteps() -> [CacheStep] {
        defer { (steps, changed) = ([], []) }
        return changed.map { .publish($0, profiles[$0]?.session, lenientUntil: profiles[$0]?.lenientUntil ?? .min) }
            + steps
    }

    /// The one way to change a profile's state: what callers get from then on follows it.
    @discardableResult private mutating func change<R>(
        _ profile: ProfileName, _ body: (inout ProfileState) -> R
    ) -> R? {
        guard let index = profiles.index(forKey: profile) else { return nil }
        changed.insert(profile)
        return body(&profiles.values[index])
    }

    // MARK: What is known

    var names: Set<ProfileName> { Set(profiles.keys) }

    func base(of profile: ProfileName) -> ProfileName? { routes.base(of: profile) }
    func fallbacks(of profile: ProfileName) -> [ProfileName] { routes.fallbacks(of: profile) }
    func flight(of profile: ProfileName) -> ProfileState.Flight? { profiles[profile]?.flight }
    func failure(of profile: ProfileName) -> RememberedFailure? { profiles[profile]?.failure }

    /// Nil for an unknown profile.
    func status(of profile: ProfileName, at now: Moment) -> CredentialStatus? {
        profiles[profile]?.status(
            of: profile, at: now,
            isKeptFresh: surroundings.isUsed(profile) && needsPerson(for: profile, at: now) == false)
    }

    /// Whether a profile's last attempt failed for something that only a change of the tokens makes good, or another user
    /// was refused in the last minute because a person is needed. A lock ends by `unlock`, which tells.
    func waitsForTokens(at now: Moment) -> Bool {
        profiles.values.compactMap(\.failure?.cause).contains { $0.retry == .token && $0.code != .locked }
            || refusedGesture.map { now.boot - $0 < 60_000 } ?? false
    }

    func isLocked(_ profile: ProfileName) -> Bool { surroundings.isLocked(routes.root(of: profile)) }

    /// Names the hop that is waited for.
    func stillWorking(_ profile: ProfileName) -> Problem {
        let base = routes.bases(of: profile).prefix { profiles[$0]?.flight != nil }.last
        return base.map { CredentialCache.stillWorking($0).asked(for: $0) } ?? CredentialCache.stillWorking(profile)
    }

    /// Whether a new session takes a person: that of the root, where no session of the base can sign for it.
    private func needsPerson(for profile: ProfileName, at now: Moment) -> Bool? {
        guard let base = routes.base(of: profile) else { return surroundings.needsPerson(profile) }
        return profiles[base]?.fallback(at: now) != nil ? false : needsPerson(for: base, at: now)
    }

    /// The profile's state, if it may be asked for credentials at all.
    private func state(of profile: ProfileName) throws(Problem) -> ProfileState {
        guard !isStopped else { throw CredentialCache.shuttingDown }
        guard let state = profiles[profile] else { throw .unknownProfile("\(profile)") }
        guard !isLocked(profile) else { throw CredentialCache.locked(profile) }
        return state
    }

    // MARK: What callers get

    /// The answer that can be given now of the profile's own sessions; nil where the caller has to wait for an attempt,
    /// which begins where none is under way.
    mutating func session(for call: SessionCall, at now: Moment) throws(Problem) -> CachedCredentials? {
        let profile = call.profile
        if let ready = ready(profile, at: now) { return ready }
        let state = try state(of: profile)
        guard state.flight == nil,
            let refusal = state.refusal(at: now, .whole, of: profile, asking: call.person.asking)
                ?? state.refusal(at: now, on: call.occasion) ?? refusalInBackground(of: call, at: now)
                ?? refusalOfGestures(for: profile, by: call.person, at: now)
        else { return nil }
        guard let valid = valid(profile, at: now) else { throw refusal }
        return valid
    }

    /// The profile's own session, if it is still valid.
    mutating func valid(_ profile: ProfileName, at now: Moment) -> CachedCredentials? {
        guard let session = profiles[profile]?.fallback(at: now) else { return nil }
        steps.append(.markUsed(profile))
        return session
    }

    /// Credentials that are still valid, or why there are none, for a caller that waits for nothing.
    ///
    /// - Returns: Also whether a new session is to be obtained beside it, or the files of a refusal to be looked at.
    mutating func heldSession(
        of profile: ProfileName, at now: Moment
    ) throws(Problem) -> (Result<CachedCredentials, Problem>, begins: Bool, looks: Bool) {
        if let ready = ready(profile, at: now) { return (.success(ready), false, false) }
        let state = try state(of: profile)
        var (begins, looks) = (false, false)
        var problem = CredentialCache.notYet(profile)
        if state.flight == nil {
            if let refusal = state.refusal(at: now, .whole, of: profile) {
                (problem, looks) = (refusal, true)
            } else if needsPerson(for: profile, at: now) == true {
                refusedGesture = now.boot
                problem = CredentialCache.needsPerson(profile)
            } else {
                begins = true
            }
        }
        return (valid(profile, at: now).map { .success($0) } ?? .failure(problem), begins, looks)
    }

    private mutating func ready(_ profile: ProfileName, at now: Moment) -> CachedCredentials? {
        guard let ready = profiles[profile]?.ready(at: now) else { return nil }
        steps.append(.markUsed(profile))
        return ready
    }

    /// Why no refresh may be forced now; nil if one may, or is under way.
    mutating func refusalToForce(
        _ profile: ProfileName, _ share: AttemptBudget.Share, by person: SessionCall.Person, at now: Moment
    ) -> Problem? {
        do throws(Problem) {
            let state = try state(of: profile)
            guard state.flight == nil else { return nil }
            if let refusal = state.refusalToForce(at: now, share, of: profile, asking: person.asking)
                ?? refusalOfGestures(for: profile, by: person, at: now)
            {
                return refusal
            }
        } catch { return error }
        change(profile) { $0.noteForced(share, at: now) }
        return nil
    }

    /// Whether a person who asks again for what is made of this profile's sessions asks for what was refused to this one.
    func isRefused(_ profile: ProfileName) -> Bool {
        profiles[profile].map { $0.session == nil && $0.failure != nil } ?? false
    }

    /// Why no attempt is made for another user, where a person is known to be needed for one.
    private mutating func refusalOfGestures(
        for profile: ProfileName, by person: SessionCall.Person, at now: Moment
    ) -> Problem? {
        guard !person.mayGesture, needsPerson(for: profile, at: now) == true else { return nil }
        refusedGesture = now.boot
        return CredentialCache.needsOwner(profile)
    }

    /// Why no attempt is made for a refresh of a dependent, where a person is, or may be, needed for one.
    private func refusalInBackground(of call: SessionCall, at now: Moment) -> Problem? {
        call.occasion == .background && needsPerson(for: call.profile, at: now) != false
            ? CredentialCache.needsPerson(call.profile) : nil
    }

    // MARK: Stand-ins

    /// The session of a fallback that is ready while the profile is known to be down; nil where a caller has to wait.
    mutating func readyStandIn(of profile: ProfileName, at now: Moment) -> CachedCredentials? {
        guard let state = profiles[profile], state.session == nil, state.failure?.cause.isDown == true else {
            return nil
        }
        for name in routes.fallbacks(of: profile) where !isLocked(name) {
            guard let ready = ready(name, at: now) else { continue }
            noteStandIn(ready.profiles.first, for: profile)
            return ready
        }
        return nil
    }

    /// - Parameter name: Nil: the profile's own sessions are to be had again.
    mutating func noteStandIn(_ name: ProfileName?, for profile: ProfileName) {
        guard let state = profiles[profile], state.standIn != name else { return }
        change(profile) { $0.standIn = name }
        // What was refused to the session of the one may be given to that of the other.
        for dependent in routes.withDependents([profile]) where dependent != profile {
            change(dependent) { $0.forgetCurable() }
        }
        steps.append(.noteStandIn(profile, name))
    }

    // MARK: Those who wait

    /// - Returns: When the call is to be answered, in boot time.
    mutating func addWaiter(_ call: SessionCall, at now: Moment) -> Int64 {
        let hasFallback = !call.wantsNew && profiles[call.profile]?.fallback(at: now) != nil
        // In whole seconds, so that thousands who wait have few deadlines.
        let giveUpAt = call.end / 1000 * 1000
        let answerAt = hasFallback ? (now.boot + surroundings.patience) / 1000 * 1000 : giveUpAt
        change(call.profile) { $0.waiters.add(call, answerAt: answerAt, giveUpAt: giveUpAt) }
        return answerAt
    }

    mutating func removeWaiter(_ call: SessionCall) { change(call.profile) { $0.waiters.remove(call.id) } }

    /// - Returns: What those who wait for the profile's flight are to be answered.
    mutating func takeWaiters(
        of profile: ProfileName, _ outcome: Result<CachedCredentials, Problem>, at now: Moment
    ) -> [WaitingCallers.Answer] {
        guard let state = profiles[profile], !state.waiters.isEmpty else { return [] }
        let fallback = state.fallback(at: now)
        steps.append(.markUsed(profile))
        return change(profile) { $0.waiters.answerAll(outcome, fallback: fallback) } ?? []
    }

    /// - Returns: What those are to be answered whose patience is at its end.
    mutating func takeOverdueWaiters(of profile: ProfileName, at now: Moment) -> [WaitingCallers.Answer] {
        guard let state = profiles[profile], let due = state.waiters.nextAnswer, due <= now.boot else { return [] }
        let (fallback, problem) = (state.fallback(at: now), stillWorking(profile))
        let answers = change(profile) { $0.waiters.answerOverdue(at: now, fallback: fallback, problem) } ?? []
        if answers.contains(where: { (try? $0.outcome.get()) != nil }) {  // the failure is the caller's
            change(profile) { $0.flight?.isSlow = true }
            steps.append(.markUsed(profile))
        }
        return answers
    }

    /// The call that those who wait would make, once what they waited for has become void; nil where none waits.
    func nextPerson(waitingFor profile: ProfileName) -> SessionCall.Person? {
        guard let waiters = profiles[profile]?.waiters, !waiters.isEmpty else { return nil }
        return SessionCall.Person(asking: waiters.asking, mayGesture: waiters.mayGesture, code: waiters.code)
    }

    /// Why no other attempt is made for them.
    func refusalToRepeat(_ profile: ProfileName, for person: SessionCall.Person, at now: Moment) -> Problem? {
        // A code comes with a refresh alone, which may be tried during a pause.
        let share: AttemptBudget.Share = person.code == nil ? .whole : person.mayGesture ? .owner : .others
        return profiles[profile]?.refusal(at: now, share, of: profile, asking: person.asking)
    }

    // MARK: Attempts

    mutating func begin(_ flight: ProfileState.Flight, for profile: ProfileName) {
        change(profile) { $0.flight = flight }
        if routes.base(of: profile) == nil { change(profile) { $0.budget.record(flight.began, flight.share) } }
    }

    /// - Parameter files: Nil: they could not be looked at in time.
    mutating func noteFiles(_ files: [FileStamp?]?, of profile: ProfileName) {
        change(profile) { $0.flight?.files = files }
    }

    /// Forgets a refusal whose files have changed.
    ///
    /// - Returns: Whether there was one.
    mutating func forgetRefusal(of profile: ProfileName, ifNotOf files: [FileStamp?]) -> Bool {
        change(profile) { $0.forgetRefusal(ifNotOf: files) } ?? false
    }

    /// The profile's attempt waits for this call to its base.
    mutating func awaitBase(_ call: UInt64, for profile: ProfileName) {
        change(profile) { $0.flight?.stage = .awaitingBase(call) }
    }

    /// The profile's attempt asks the source. It goes from now on with the session that it signs with.
    ///
    /// - Returns: The attempt.
    mutating func ask(with base: CachedCredentials?, for profile: ProfileName, at now: Moment) -> ProfileState.Flight? {
        change(profile) { state in
            state.flight?.stage = .asking
            guard let base, let flight = state.flight else { return state.flight }
            state.budget.record(now.boot, flight.share)
            state.flight?.madeOf = base.profiles
            // What has changed until now, as a login of the root does, changes nothing about what is asked next.
            state.flight?.isOutdated = false
            return state.flight
        } ?? nil
    }

    mutating func land(_ session: CachedCredentials, of profile: ProfileName) {
        change(profile) { state in
            state.flight = nil
            state.session = session
            state.failure = nil
        }
        noteStandIn(nil, for: profile)
        for name in routes.withDependents([profile]) where profiles[name]?.failure?.endsWithBase == true {
            change(name) { $0.failure = nil }
        }
    }

    /// - Parameter isOfBase: There was no session of the base, so the profile's own service was asked for nothing.
    mutating func fail(
        _ profile: ProfileName, _ cause: Problem, isOfBase: Bool = false, at now: Moment
    ) -> ProfileState.Aftermath? {
        guard let flight = profiles[profile]?.flight else { return nil }
        return change(profile) { [surroundings] state in
            state.flight = nil
            return state.fail(
                cause, of: flight, isOfBase: isOfBase, isForeign: cause == CredentialCache.needsOwner(profile), at: now,
                random: surroundings.random)
        }
    }

    mutating func markRepeated(_ profile: ProfileName) { change(profile) { $0.flight?.isRepeated = true } }

    // MARK: Time

    /// Drops the profile's session where it has lapsed.
    mutating func dropLapsed(_ profile: ProfileName, at now: Moment) {
        guard let session = profiles[profile]?.session, !session.validity.canBeHandedOut(at: now) else { return }
        change(profile) { $0.session = nil }
    }

    /// Milliseconds to the attempt in the background that comes next, zero when it is due; nil if none is planned.
    func untilAttempt(of profile: ProfileName, at now: Moment) -> Int64? {
        guard surroundings.isUsed(profile), needsPerson(for: profile, at: now) == false, !isLocked(profile) else {
            return nil
        }
        return profiles[profile]?.untilAttempt(at: now)
    }

    /// Milliseconds to what the profile has ahead.
    func untilDue(_ profile: ProfileName, at now: Moment) -> Int64? {
        guard let state = profiles[profile] else { return nil }
        return [
            state.waiters.nextAnswer.map { $0 - now.boot },
            state.flight.map {
                $0.began + ($0.stage == .looking ? FileLooks.longest : ProfileState.Flight.longest) - now.boot
            },
            untilAttempt(of: profile, at: now),
            state.session.map { $0.validity.remaining(at: now) - SessionValidity.leastHandedOut + 1 },
        ].lazy.compactMap(\.self).min()
    }

    // MARK: Changes

    /// Those of these profiles (nil: of all) that there are, and their dependents, with those that a fallback has made
    /// dependent.
    func affected(_ names: Set<ProfileName>?) -> Set<ProfileName> {
        guard let names else { return self.names }
        let dependents = routes.withDependents(names)
        return dependents.intersection(self.names).union(profiles.filter { $0.value.isMade(of: dependents) }.keys)
    }

    /// These profiles and all that have one of them under them; nil: all.
    func dependents(_ names: Set<ProfileName>?) -> Set<ProfileName> { names.map(routes.withDependents) ?? self.names }

    /// These profiles, and those whose callers may have got one of their sessions.
    func withCallers(_ names: Set<ProfileName>) -> Set<ProfileName> { routes.withThoseTheyStandInFor(names) }

    /// Drops the session that is held, and the one that is under way.
    mutating func abandon(_ profile: ProfileName) {
        change(profile) { state in
            state.flight = nil
            state.session = nil
        }
    }

    mutating func forgetCurable(_ profile: ProfileName) { change(profile) { $0.forgetCurable() } }

    mutating func remove(_ profile: ProfileName) {
        changed.insert(profile)
        profiles[profile] = nil
    }

    /// A reload: these are the profiles and their routes from now on.
    mutating func add(_ names: Set<ProfileName>, routes: ProfileRoutes) {
        self.routes = routes
        for name in names where profiles[name] == nil { profiles[name] = ProfileState() }
        for (name, state) in profiles where state.standIn.map({ !routes.fallbacks(of: name).contains($0) }) ?? false {
            change(name) { $0.standIn = nil }
        }
    }

    /// The profiles whose sessions are not made as these routes have it.
    func profiles(notMadeAlong routes: ProfileRoutes) -> Set<ProfileName> {
        Set(profiles.filter { !$0.value.isMade(for: $0.key, along: routes) }.keys)
    }

    /// Nothing is handed out any more.
    mutating func stop() {
        isStopped = true
        changed.formUnion(profiles.keys)
        profiles = [:]
    }
}
