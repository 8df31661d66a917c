import AgentAPI
import Files

/// The requests for sessions, from the question to the answer: which attempts begin, what each waits for, which fallback is
/// asked next, and who is answered when.
///
/// A pure value, which knows no clock, no task and no source. `CredentialCache` tells it what happens, and carries out the
/// steps that it decides on.
struct SessionRequests {
    private(set) var chains: SessionChains
    private var calls: [UInt64: SessionCall] = [:]
    private var looks = FileLooks()
    /// The last number given to a flight or a call.
    private var lastID: UInt64 = 0
    private var steps: [CacheStep] = []
    private(set) var isStopped = false
    /// When `tick` is due, in boot time.
    private(set) var alarm = Int64.min

    init(profiles: Set<ProfileName>, routes: ProfileRoutes, _ surroundings: CacheSurroundings) {
        chains = SessionChains(profiles: profiles, routes: routes, surroundings)
    }

    /// What is to be done since this was asked last, in that order.
    mutating func takeSteps() -> [CacheStep] {
        defer { steps = [] }
        return chains.takeSteps() + steps
    }

    /// A number for a call.
    mutating func newID() -> UInt64 {
        lastID += 1
        return lastID
    }

    private mutating func wake(by boot: Int64) { alarm = min(alarm, boot) }

    /// Whether the result of this attempt is still wanted.
    func isUnderWay(_ flight: UInt64, of profile: ProfileName) -> Bool { chains.flight(of: profile)?.id == flight }

    // MARK: Calls

    /// Asks for a session that need not be new. The answer of a client follows.
    mutating func ask(_ call: SessionCall, at now: Moment) {
        calls[call.id] = call
        guard chains.failure(of: call.profile)?.isRefusal == true, !looks.isHanging(call.profile) else {
            return proceed(call.id, at: now)
        }
        // It is forgotten if its files have changed.
        looks.add(call.id, at: now)
        wake(by: now.boot + FileLooks.longest)
        steps.append(.look(call.profile, for: .call(call.id)))
    }

    /// Asks for a new session, also in a pause after a failure.
    mutating func refresh(_ call: SessionCall, _ share: AttemptBudget.Share, at now: Moment) {
        calls[call.id] = call
        if let refusal = force(call.profile, share, by: call.person, at: now) {
            finish(call.id, .failure(refusal), at: now)
        } else {
            wake(by: chains.addWaiter(call, at: now))
        }
    }

    /// The client is gone.
    mutating func leave(_ id: UInt64) {
        if withdraw(id) { steps.append(.answer(id, .failure(Problem(.requestTimeout, "the caller has hung up")))) }
    }

    /// Credentials that are still valid, or why there are none, without waiting.
    mutating func held(_ profile: ProfileName, at now: Moment) throws(Problem) -> CachedCredentials {
        do throws(Problem) { return try ownHeld(profile, at: now) } catch {
            guard !chains.isLocked(profile), chains.failure(of: profile)?.cause.isDown == true else { throw error }
            if let ready = chains.readyStandIn(of: profile, at: now) { return ready }
            for name in chains.fallbacks(of: profile) {
                do throws(Problem) {
                    let session = try held(name, at: now)
                    chains.noteStandIn(session.profiles.first, for: profile)
                    return session
                } catch {
                    guard error != CredentialCache.notYet(name) else { throw CredentialCache.notYet(profile) }
                }
            }
            throw error
        }
    }

    /// The same of the profile's own sessions alone.
    private mutating func ownHeld(_ profile: ProfileName, at now: Moment) throws(Problem) -> CachedCredentials {
        let (outcome, begins, looks) = try chains.heldSession(of: profile, at: now)
        if begins { begin(profile, on: .request, by: SessionCall.Person(asking: nil, mayGesture: false), at: now) }
        if looks { lookForNextCallers(at: profile, now) }
        return try outcome.get()
    }

    private mutating func proceed(_ id: UInt64, at now: Moment) {
        guard let call = calls[id] else { return }
        do throws(Problem) {
            if let session = try chains.session(for: call, at: now) { return finish(id, .success(session), at: now) }
            if chains.flight(of: call.profile) == nil {
                begin(call.profile, on: call.occasion, by: call.person, at: now)
            }
            // The service was down: whether it is up again is found out without those who can be served.
            if let ready = chains.readyStandIn(of: call.profile, at: now) {
                return finish(id, .success(ready), at: now)
            }
            wake(by: chains.addWaiter(call, at: now))
        } catch {
            take(.failure(error), for: id, at: now)
        }
    }

    /// The call's own profile has answered: where it is down, its fallbacks are asked.
    private mutating func take(_ outcome: Result<CachedCredentials, Problem>, for id: UInt64, at now: Moment) {
        guard case .failure(let problem) = outcome, let call = calls[id] else { return finish(id, outcome, at: now) }
        calls[id]?.turn(to: chains.fallbacks(of: call.profile), because: problem)
        askNextFallback(for: id, at: now)
    }

    private mutating func askNextFallback(for id: UInt64, at now: Moment) {
        guard let call = calls[id], let problem = call.problem else { return }
        guard let name = calls[id]?.nextFallback() else { return finish(id, .failure(problem), at: now) }
        // The configuration may have changed meanwhile.
        guard chains.fallbacks(of: call.profile).contains(name) else { return askNextFallback(for: id, at: now) }
        let next = newID()
        calls[id]?.toFallback = next
        let person = call.person.withoutCode
        ask(SessionCall(next, for: name, .standIn(for: id), on: call.occasion, by: person, until: call.end), at: now)
    }

    /// Answers the call.
    private mutating func finish(_ id: UInt64, _ outcome: Result<CachedCredentials, Problem>, at now: Moment) {
        guard let call = calls.removeValue(forKey: id) else { return }
        switch call.purpose {
        case .client: steps.append(.answer(id, outcome))
        case .attempt(let flight, let profile): takeBase(outcome, for: flight, of: profile, at: now)
        case .standIn(let asker):
            guard let profile = calls[asker]?.profile else { return }
            // Its own may have come meanwhile, and a reload may have withdrawn what the fallback has.
            if let own = chains.valid(profile, at: now) { return finish(asker, .success(own), at: now) }
            guard case .success(let session) = outcome, chains.fallbacks(of: profile).contains(call.profile) else {
                return askNextFallback(for: asker, at: now)
            }
            chains.noteStandIn(session.profiles.first, for: profile)
            finish(asker, outcome, at: now)
        }
    }

    /// Forgets a call, and those that it has made.
    ///
    /// - Returns: Whether there was one.
    @discardableResult private mutating func withdraw(_ id: UInt64) -> Bool {
        guard let call = calls.removeValue(forKey: id) else { return false }
        looks.remove(id)
        chains.removeWaiter(call)
        if let next = call.toFallback { withdraw(next) }
        return true
    }

    private mutating func answerWaiters(
        of profile: ProfileName, _ outcome: Result<CachedCredentials, Problem>, at now: Moment
    ) {
        for (call, outcome) in chains.takeWaiters(of: profile, outcome, at: now) { take(outcome, for: call, at: now) }
    }

    // MARK: Attempts

    /// Starts the profile's one attempt.
    private mutating func begin(
        _ profile: ProfileName, on occasion: Occasion, _ share: AttemptBudget.Share = .whole,
        by person: SessionCall.Person,
        at now: Moment
    ) {
        let flight = ProfileState.Flight(
            id: newID(), began: now.boot, occasion: person.mayGesture ? occasion : .foreign, share: share,
            person: person)
        chains.begin(flight, for: profile)
        if looks.isHanging(profile) { return takeOff(flight.id, of: profile, nil, at: now) }
        wake(by: now.boot + FileLooks.longest)
        steps.append(.look(profile, for: .attempt(flight.id)))
    }

    /// Starts an attempt that a person has asked for, where none is under way.
    ///
    /// - Returns: Why there is none.
    private mutating func force(
        _ profile: ProfileName, _ share: AttemptBudget.Share, by person: SessionCall.Person, at now: Moment
    ) -> Problem? {
        if let refusal = chains.refusalToForce(profile, share, by: person, at: now) { return refusal }
        if chains.flight(of: profile) == nil { begin(profile, on: .demand, share, by: person, at: now) }
        return nil
    }

    /// The files of the attempt have been looked at, or that takes too long: asks for what it signs with.
    private mutating func takeOff(_ id: UInt64, of profile: ProfileName, _ files: [FileStamp?]?, at now: Moment) {
        guard let flight = chains.flight(of: profile), flight.id == id, flight.stage == .looking else { return }
        chains.noteFiles(files, of: profile)
        guard let base = chains.base(of: profile) else { return ask(with: nil, for: profile, at: now) }
        if flight.occasion == .demand, chains.isRefused(base) {
            // A person who asks again asks for what was refused. Where no attempt is allowed, the remembered problem tells.
            _ = force(base, flight.share, by: flight.person, at: now)
        }
        let call = SessionCall(
            newID(), for: base, .attempt(id, of: profile), on: flight.occasion, by: flight.person,
            until: flight.began + ProfileState.Flight.longest)
        chains.awaitBase(call.id, for: profile)
        ask(call, at: now)
    }

    /// The base of the attempt's profile has answered.
    private mutating func takeBase(
        _ outcome: Result<CachedCredentials, Problem>, for id: UInt64, of profile: ProfileName, at now: Moment
    ) {
        guard isUnderWay(id, of: profile), let base = chains.base(of: profile) else { return }
        switch outcome {
        case .success(let session): ask(with: session, for: profile, at: now)
        case .failure(let problem):
            // Permission is that of the profile asked for, and so is the advice.
            let isForeign = problem == CredentialCache.needsOwner(base)
            fail(
                profile, isForeign ? CredentialCache.needsOwner(profile) : problem.asked(for: base), isOfBase: true,
                at: now)
        }
    }

    private mutating func ask(with base: CachedCredentials?, for profile: ProfileName, at now: Moment) {
        guard let flight = chains.ask(with: base, for: profile, at: now) else { return }
        steps.append(.ask(profile, flight, base: base))
    }

    /// An attempt has ended.
    mutating func ended(
        _ id: UInt64, of profile: ProfileName, _ outcome: Result<CachedCredentials, Problem>, at now: Moment
    ) {
        // Locked, dropped, reconfigured or stopped meanwhile: its session is discarded.
        guard isUnderWay(id, of: profile) else { return }
        switch outcome {
        case .failure(let problem): fail(profile, problem, at: now)
        case .success(let session):
            chains.land(session, of: profile)
            answerWaiters(of: profile, outcome, at: now)
            wake(by: now.boot)
        }
    }

    private mutating func fail(_ profile: ProfileName, _ problem: Problem, isOfBase: Bool = false, at now: Moment) {
        wake(by: now.boot)
        switch chains.fail(profile, problem, isOfBase: isOfBase, at: now) {
        case .again(let isRepeated)?: beginAgain(profile, at: now, isRepeated: isRepeated)
        case .answer(let problem)?: answerWaiters(of: profile, .failure(problem), at: now)
        case nil: return
        }
    }

    /// Another attempt for those who wait, after theirs has become void, unless one of them has begun it already.
    ///
    /// - Parameter isRepeated: For what has changed meanwhile.
    private mutating func beginAgain(_ profile: ProfileName, at now: Moment, isRepeated: Bool = false) {
        guard chains.flight(of: profile) == nil, let person = chains.nextPerson(waitingFor: profile) else { return }
        if let refusal = chains.refusalToRepeat(profile, for: person, at: now) {
            return answerWaiters(of: profile, .failure(refusal), at: now)
        }
        begin(profile, on: .request, by: person, at: now)
        if isRepeated { chains.markRepeated(profile) }
    }

    /// Drops the session that is held, and the one that is under way.
    private mutating func abandon(_ profile: ProfileName) {
        abandonFlight(of: profile)
        chains.abandon(profile)
    }

    /// Its result will be discarded.
    private mutating func abandonFlight(of profile: ProfileName) {
        guard let flight = chains.flight(of: profile) else { return }
        if case .awaitingBase(let call) = flight.stage { withdraw(call) }
        steps.append(.cancel(flight.id))
    }

    // MARK: Files

    /// A look at the files of a profile has ended.
    mutating func looked(at profile: ProfileName, for purpose: FileLook, _ files: [FileStamp?], at now: Moment) {
        looks.end(profile, for: purpose, at: now)
        if chains.forgetRefusal(of: profile, ifNotOf: files) { wake(by: now.boot) }
        switch purpose {
        case .attempt(let id): takeOff(id, of: profile, files, at: now)
        case .call(let id): if looks.remove(id) { proceed(id, at: now) }
        case .nextCallers: return
        }
    }

    private mutating func lookForNextCallers(at profile: ProfileName, _ now: Moment) {
        if looks.begin(profile, at: now) { steps.append(.look(profile, for: .nextCallers)) }
    }

    // MARK: Time

    /// Does what is due, and sets the next alarm: in no more than a minute, because both clocks can leap while timers
    /// sleep, and callers that get what is published make no noise.
    mutating func tick(at now: Moment) {
        alarm = now.boot + 60_000
        for call in looks.takeOverdue(at: now) {
            if let call = calls[call] { looks.giveUp(call.profile) }
            proceed(call, at: now)
        }
        for profile in chains.names.sorted() { tick(profile, at: now) }
        if let end = looks.nextEnd { wake(by: end) }
    }

    private mutating func tick(_ profile: ProfileName, at now: Moment) {
        if let flight = chains.flight(of: profile) {
            if now.boot - flight.began >= ProfileState.Flight.longest {
                abandonFlight(of: profile)
                fail(profile, CredentialCache.givenUp(profile), at: now)
            } else if flight.stage == .looking, now.boot - flight.began >= FileLooks.longest {
                looks.giveUp(profile)
                takeOff(flight.id, of: profile, nil, at: now)
            }
        }
        chains.dropLapsed(profile, at: now)
        for (call, outcome) in chains.takeOverdueWaiters(of: profile, at: now) { take(outcome, for: call, at: now) }
        if chains.failure(of: profile)?.isRefusal == true { lookForNextCallers(at: profile, now) }
        if chains.untilAttempt(of: profile, at: now) == 0 {
            begin(profile, on: .background, by: SessionCall.Person(asking: nil, mayGesture: true), at: now)
        }
        // After the above nothing is due.
        if let pause = chains.untilDue(profile, at: now) { wake(by: now.boot + pause) }
    }

    // MARK: Changes

    /// Drops the sessions of these profiles (nil: all profiles'), which the source says are locked, and those that are made
    /// of them. A session under way is not stored, and those who wait for it are told.
    ///
    /// - Returns: The profiles whose sessions were dropped, and those whose callers may have got one of them.
    mutating func lock(_ names: Set<ProfileName>?, at now: Moment) -> Set<ProfileName> {
        let (locked, affected) = (chains.dependents(names), chains.affected(names))
        for name in affected.sorted() { abandon(name) }
        for name in affected.sorted() {
            if locked.contains(name) {
                answerWaiters(of: name, .failure(CredentialCache.locked(name)), at: now)
            } else {
                beginAgain(name, at: now)  // a fallback of its base is locked, not its root
            }
        }
        for (_, call) in calls.sorted(by: { $0.key < $1.key }) where locked.contains(call.profile) {
            guard let next = call.toFallback, withdraw(next) else { continue }
            finish(call.id, .failure(CredentialCache.locked(call.profile)), at: now)
        }
        return chains.withCallers(affected)
    }

    /// Drops these profiles' sessions (nil: all profiles'), and those that are made of them. Those who wait for one of them
    /// wait for another.
    ///
    /// - Returns: The profiles whose sessions were dropped, and those whose callers may have got one of them.
    mutating func drop(_ names: Set<ProfileName>?, at now: Moment) -> Set<ProfileName> {
        let affected = chains.affected(names)
        for name in affected.sorted() { abandon(name) }
        for name in affected.sorted() { beginAgain(name, at: now) }
        return chains.withCallers(affected)
    }

    /// A token came, went, got its PIN or was unlocked: attempts that waited for that are allowed again.
    mutating func stateChanged(_ names: Set<ProfileName>?, at now: Moment) {
        for name in chains.affected(names) { chains.forgetCurable(name) }
        wake(by: now.boot)
    }

    /// A reload: `names` are the profiles from now on, `changed` those of them whose sessions are no longer what is asked for.
    mutating func replace(_ names: Set<ProfileName>, routes: ProfileRoutes, changed: Set<ProfileName>, at now: Moment) {
        if isStopped { return }
        let removed = chains.names.subtracting(names)
        chains.add(names, routes: routes)
        looks.keep(names)
        let affected = chains.affected(changed.union(chains.profiles(notMadeAlong: routes)))
        // Before those who wait for what is removed are answered: what is changed waits for its new base.
        for name in affected.union(removed).sorted() { abandon(name) }
        for name in removed.sorted() {
            answerWaiters(of: name, .failure(.unknownProfile("\(name)")), at: now)
            chains.remove(name)
        }
        stateChanged(nil, at: now)
        for name in affected.sorted() { beginAgain(name, at: now) }
    }

    /// Answers all calls, and lets nothing begin any more.
    mutating func stop() {
        isStopped = true
        for name in chains.names { abandonFlight(of: name) }
        chains.stop()
        for call in calls.values {
            if case .client = call.purpose { steps.append(.answer(call.id, .failure(CredentialCache.shuttingDown))) }
        }
        calls = [:]
        looks = FileLooks()
    }
}
