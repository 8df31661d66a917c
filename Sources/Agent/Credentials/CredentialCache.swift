package import AgentAPI
import Files
import Prompts
import ServiceAnswers

/// The sessions of all profiles: one refresh for all who wait, begun early, with pauses when it fails, and nothing
/// expired handed out. Nothing of it is ever on disk.
///
/// `run` must be running: it refreshes in the background and keeps the deadlines.
package actor CredentialCache {
    /// The credentials that are ready without waiting; ask it first.
    package nonisolated let published: PublishedCredentials
    private let settings: CacheSettings
    private let source: any CredentialSource
    private var profiles: [ProfileName: ProfileState]
    private var routes: ProfileRoutes
    private var isStopped = false
    /// The last number given to a flight or a waiter.
    private var lastID: UInt64 = 0
    /// The keeper's wait for its next look at the clocks, and when that is, in boot time.
    private var nap: Task<Void, Never>?
    private var alarm = Int64.max
    /// When another user was last refused because a person is needed, in boot time.
    private var refusedGesture: Int64?
    /// From when on the files of a profile's refusal may be looked at for the next caller, in boot time.
    private var nextLook: [ProfileName: Int64] = [:]

    package init(
        profiles: Set<ProfileName>, routes: ProfileRoutes = ProfileRoutes(), source: any CredentialSource,
        settings: CacheSettings
    ) {
        published = PublishedCredentials(clock: settings.clock)
        self.profiles = Dictionary(uniqueKeysWithValues: profiles.map { ($0, ProfileState()) })
        self.routes = routes
        self.source = source
        self.settings = settings
    }

    /// Credentials with at least 20 minutes left (half of a short session's time), or, where the service does not
    /// answer, what is still valid for a minute or more.
    ///
    /// Returns at once where it can. Otherwise it waits for the one refresh that all callers share, no longer than
    /// `answerWithin`, and no longer than `patience` where something valid can be had instead. A caller whose task
    /// is cancelled leaves the refresh to the others.
    package func credentials(for profile: ProfileName) async throws(Problem) -> CachedCredentials {
        try await credentials(
            for: profile, on: .request, until: settings.clock.now().boot + settings.answerWithin)
    }

    /// - Parameter end: Until when to wait at all, in boot time.
    private func credentials(
        for profile: ProfileName, on occasion: Occasion, until end: Int64
    ) async throws(Problem) -> CachedCredentials {
        await forgetOutlivedRefusal(of: profile)
        do throws(Problem) {
            if let ready = try readyOrUnderWay(profile, on: occasion) { return ready }
            // The service was down: whether it is up again is found out without those who can be served.
            if let ready = readyFallback(of: profile) { return ready }
            return try await wait(for: profile, wantsNew: false, until: end)
        } catch {
            guard error.isDown else { throw error }
            return try await fallback(of: profile, after: error, on: occasion, until: end)
        }
    }

    /// The session of the profile's first fallback that has one.
    ///
    /// - Throws: `problem`, where there is none.
    private func fallback(
        of profile: ProfileName, after problem: Problem, on occasion: Occasion, until end: Int64
    ) async throws(Problem) -> CachedCredentials {
        for name in routes.fallbacks(of: profile) {
            // Why it has none is told where it is asked for itself.
            guard let session = try? await credentials(for: name, on: occasion, until: end) else { continue }
            standIn(session.profiles.first, for: profile)
            return session
        }
        throw problem
    }

    /// The session of a fallback that is ready while the profile is known to be down; nil where a caller has to wait.
    private func readyFallback(of profile: ProfileName) -> CachedCredentials? {
        guard let state = profiles[profile], state.session == nil, state.failure?.cause.isDown == true else {
            return nil
        }
        let ready = routes.fallbacks(of: profile).lazy.filter { !self.isLocked($0) }
            .compactMap { self.published.ready($0) }.first
        if let ready { standIn(ready.profiles.first, for: profile) }
        return ready
    }

    /// - Parameter name: Nil: the profile's own sessions are to be had again.
    private func standIn(_ name: ProfileName?, for profile: ProfileName) {
        guard let state = profiles[profile], state.standIn != name else { return }
        profiles[profile]?.standIn = name
        // What was refused to the session of the one may be given to that of the other.
        for dependent in routes.withDependents([profile]) where dependent != profile {
            profiles[dependent]?.forgetCurable()
            publish(dependent)
        }
        settings.noteStandIn(profile, name)
    }

    /// Credentials of a new session, even if the held one is fresh.
    ///
    /// Joins a refresh under way, even one that began before the call: its session is as new as the caller can tell,
    /// and another would cost another signature. Otherwise it starts one, also during a pause after a failure: not where
    /// one has given a session in the last 30 seconds, and with no more than a share of the attempts that a profile has
    /// in an hour. A base is not refreshed with it.
    ///
    /// - Parameter isOwner: Whether the agent's owner asks; other users have a share of their own.
    package func refresh(
        _ profile: ProfileName, isOwner: Bool = true
    ) async throws(Problem) -> CachedCredentials {
        try ensureRefresh(profile, isOwner ? .owner : .others)
        return try await wait(
            for: profile, wantsNew: true, until: settings.clock.now().boot + settings.answerWithin)
    }

    /// Credentials that are still valid, or why there are none, without waiting. A new session is obtained beside it where it
    /// is due and no person has to act for it, and that of a fallback while the profile is known to be down.
    package func held(for profile: ProfileName) throws(Problem) -> CachedCredentials {
        do throws(Problem) { return try heldOrUnderWay(profile) } catch {
            guard !isLocked(profile), profiles[profile]?.failure?.cause.isDown == true else { throw error }
            if let ready = readyFallback(of: profile) { return ready }
            for name in routes.fallbacks(of: profile) {
                do throws(Problem) {
                    let session = try held(for: name)
                    standIn(session.profiles.first, for: profile)
                    return session
                } catch {
                    guard error != Self.notYet(name) else { throw Self.notYet(profile) }
                }
            }
            throw error
        }
    }

    /// The same of the profile's own sessions alone.
    private func heldOrUnderWay(_ profile: ProfileName) throws(Problem) -> CachedCredentials {
        if let ready = published.ready(profile) { return ready }
        let state = try state(of: profile)
        let now = settings.clock.now()
        let problem: Problem
        if state.flight != nil {
            problem = Self.notYet(profile)
        } else if let refusal = state.refusal(at: now, .whole, of: profile) {
            lookForNextCaller(at: profile, now)
            problem = refusal
        } else if source.needsPerson(for: profile) == true {
            refusedGesture = now.boot
            problem = Self.needsPerson(profile)
        } else {
            begin(profile, on: .request, at: now, asking: nil, mayGesture: false)
            problem = Self.notYet(profile)
        }
        guard let fallback = state.fallback(at: now) else { throw problem }
        published.markUsed(profile)
        return fallback
    }

    /// Nil for an unknown profile.
    package func status(of profile: ProfileName) -> CredentialStatus? {
        profiles[profile]?.status(
            of: profile, at: settings.clock.now(),
            isKeptFresh: published.isUsed(profile) && needsPerson(for: profile) == false)
    }

    /// The answer that can be given now, or nil with a flight in the air.
    ///
    /// This and `ensureRefresh` don't suspend: a caller that waits must not hold a copy of the state, which has all
    /// waiters.
    private func readyOrUnderWay(
        _ profile: ProfileName, on occasion: Occasion
    ) throws(Problem) -> CachedCredentials? {
        if let ready = published.ready(profile) { return ready }
        let state = try state(of: profile)
        guard state.flight == nil else { return nil }
        let now = settings.clock.now()
        if let refusal = state.refusal(at: now, .whole, of: profile, asking: Asking.current)
            ?? state.refusal(at: now, on: occasion) ?? refusalInBackground(of: profile, on: occasion)
            ?? refusalOfGestures(for: profile, at: now)
        {
            guard let fallback = state.fallback(at: now) else { throw refusal }
            published.markUsed(profile)
            return fallback
        }
        begin(profile, on: occasion, at: now)
        return nil
    }

    private func ensureRefresh(_ profile: ProfileName, _ share: AttemptBudget.Share) throws(Problem) {
        let state = try state(of: profile)
        guard state.flight == nil else { return }
        let now = settings.clock.now()
        if let refusal = state.refusalToForce(at: now, share, of: profile, asking: Asking.current)
            ?? refusalOfGestures(for: profile, at: now)
        {
            throw refusal
        }
        profiles[profile]?.noteForced(share, at: now)
        begin(profile, on: .demand, at: now, share)
    }

    /// Why no attempt is made for another user, where a person is known to be needed for one.
    private func refusalOfGestures(for profile: ProfileName, at now: Moment) -> Problem? {
        guard !Gestures.areAllowed, needsPerson(for: profile) == true else { return nil }
        refusedGesture = now.boot
        return Self.needsOwner(profile)
    }

    /// Why no attempt is made for a refresh of a dependent, where a person is, or may be, needed for one.
    private func refusalInBackground(of profile: ProfileName, on occasion: Occasion) -> Problem? {
        occasion == .background && needsPerson(for: profile) != false ? Self.needsPerson(profile) : nil
    }

    /// Whether a new session takes a person: that of the root, where no session of the base can sign for it.
    private func needsPerson(for profile: ProfileName) -> Bool? {
        guard let base = routes.base(of: profile) else { return source.needsPerson(for: profile) }
        return profiles[base]?.fallback(at: settings.clock.now()) != nil ? false : needsPerson(for: base)
    }

    private func isLocked(_ profile: ProfileName) -> Bool { source.isLocked(routes.root(of: profile)) }

    /// Forgets a refusal whose files have changed. They are looked at outside of the actor: a file system that hangs
    /// costs those who need it, and no lock.
    private func forgetOutlivedRefusal(of profile: ProfileName) async {
        guard profiles[profile]?.failure?.isRefusal == true else { return }
        let files = await source.files(of: profile)
        profiles[profile]?.forgetRefusal(ifNotOf: files)
    }

    /// The same for those who ask later; this one goes on. No more than one look a second at each profile is begun so, and
    /// none while one is under way: endpoints are asked without pause, and a look at a file may hang.
    private func lookForNextCaller(at profile: ProfileName, _ now: Moment) {
        guard now.boot >= nextLook[profile, default: .min] else { return }
        nextLook[profile] = .max
        Task {  // not awaited: it ends with the look
            await forgetOutlivedRefusal(of: profile)
            nextLook[profile] = settings.clock.boot() + 1000
        }
    }

    /// The profile's state, if it may be asked for credentials at all.
    private func state(of profile: ProfileName) throws(Problem) -> ProfileState {
        guard !isStopped else { throw Self.shuttingDown }
        guard let state = profiles[profile] else { throw .unknownProfile("\(profile)") }
        guard !isLocked(profile) else { throw Self.locked(profile) }
        return state
    }
}

// MARK: - The flight

extension CredentialCache {
    /// Starts the profile's one attempt.
    ///
    /// - Parameters:
    ///   - asking: How to ask the caller's person for a PIN; nil if that cannot be done.
    ///   - mayGesture: Whether a person may be made to act for it.
    private func begin(
        _ profile: ProfileName, on occasion: Occasion, at now: Moment, _ share: AttemptBudget.Share = .whole,
        asking: Asking? = Asking.current, mayGesture: Bool = Gestures.areAllowed
    ) {
        let id = nextID()
        let occasion = mayGesture ? occasion : .foreign
        // Not awaited: it ends in `land`, and the code that takes it out of `flight` cancels it.
        let task = Asking.$current.withValue(asking) {
            Gestures.$areAllowed.withValue(mayGesture) {
                Task { await attempt(id, for: profile, on: occasion, share, until: now.boot + Self.longestFlight) }
            }
        }
        profiles[profile]?.flight = .init(
            id: id, began: now.boot, task: task, asking: asking)
        if routes.base(of: profile) == nil { profiles[profile]?.budget.record(now.boot, share) }
    }

    /// The flight's task: asks the source, for a profile with a base after the cache has given the base's session.
    private func attempt(
        _ id: UInt64, for profile: ProfileName, on occasion: Occasion, _ share: AttemptBudget.Share, until end: Int64
    ) async {
        let files = await source.files(of: profile)  // before they are read, so that no change is missed
        var base: CachedCredentials?
        repeat {
            do throws(Problem) {
                base = try await baseSession(of: profile, on: occasion, share, until: end)
            } catch {
                return land(.failure(error), of: profile, id, files, isOfBase: true)
            }
            // Without a base nothing has been waited for.
            guard base == nil || isUnderWay(id, profile) else { return }
            // It may have been dropped since: only what is `madeOf` it from now on goes with it.
        } while base.map { !isHeld($0) } ?? false
        if let base {
            profiles[profile]?.budget.record(settings.clock.boot(), share)
            profiles[profile]?.flight?.madeOf = base.profiles
            // What has changed until now, as a login of the root does, changes nothing about what is asked next.
            profiles[profile]?.flight?.isOutdated = false
        }
        do throws(Problem) {
            let fresh = try await source.credentials(for: profile, on: occasion, from: base?.key)
            land(.success((fresh, base?.profiles ?? [])), of: profile, id, files)
        } catch {
            land(.failure(error), of: profile, id, files)
        }
    }

    /// The session that the profile's are made of, as its callers get it; nil for a profile without a base.
    private func baseSession(
        of profile: ProfileName, on occasion: Occasion, _ share: AttemptBudget.Share, until end: Int64
    ) async throws(Problem) -> CachedCredentials? {
        guard let base = routes.base(of: profile) else { return nil }
        if occasion == .demand, let state = profiles[base], state.session == nil, state.failure != nil {
            // A person who asks again asks for what was refused. Where no attempt is allowed, the remembered problem tells.
            try? ensureRefresh(base, share)
        }
        do throws(Problem) {
            return try await credentials(for: base, on: occasion, until: end)
        } catch {
            // Permission is that of the profile asked for, and so is the advice.
            guard error != Self.needsOwner(base) else { throw Self.needsOwner(profile) }
            throw error.asked(for: base)
        }
    }

    /// Whether it is still the session of the profile that it was obtained for.
    private func isHeld(_ session: CachedCredentials) -> Bool {
        session.profiles.first.flatMap { profiles[$0]?.session } === session
    }

    private func isUnderWay(_ id: UInt64, _ profile: ProfileName) -> Bool { profiles[profile]?.flight?.id == id }

    /// - Parameter isOfBase: There was no session of the base, so the profile's own service was asked for nothing.
    private func land(
        _ result: Result<(SessionCredentials, madeOf: [ProfileName]), Problem>, of profile: ProfileName, _ id: UInt64,
        _ files: [FileStamp?], isOfBase: Bool = false
    ) {
        // Locked, dropped, reconfigured or stopped meanwhile: discard this session.
        guard let flight = profiles[profile]?.flight, flight.id == id else { return }
        let now = settings.clock.now()
        profiles[profile]?.flight = nil
        do throws(Problem) {
            let (fresh, bases) = try result.get()
            let session = try CachedCredentials(fresh, of: [profile] + bases, receivedAt: now, settings)
            profiles[profile]?.session = session
            profiles[profile]?.failure = nil
            publish(profile)
            standIn(nil, for: profile)
            for name in routes.withDependents([profile]) where profiles[name]?.failure?.endsWithBase == true {
                profiles[name]?.failure = nil
                publish(name)
            }
            answerWaiters(of: profile, .success(session), at: now)
        } catch {
            fail(profile, error, of: flight, reading: files, isOfBase: isOfBase, at: now)
        }
        wakeKeeper(by: now.boot)
    }

    private func fail(
        _ profile: ProfileName, _ cause: Problem, of flight: ProfileState.Flight, reading files: [FileStamp?] = [],
        isOfBase: Bool = false, at now: Moment
    ) {
        let next = profiles[profile]?.fail(
            cause, of: flight, reading: files, isOfBase: isOfBase, isForeign: cause == Self.needsOwner(profile),
            at: now,
            random: settings.random)
        publish(profile)
        switch next {
        case .again(let isRepeated): beginAgain(profile, at: now, isRepeated: isRepeated)
        case .answer(let problem): answerWaiters(of: profile, .failure(problem), at: now)
        case nil: return
        }
    }

    /// Another attempt for those who wait, after the one that they waited for has become void.
    ///
    /// - Parameter isRepeated: Because of what has changed meanwhile.
    private func beginAgain(_ profile: ProfileName, at now: Moment, isRepeated: Bool = false) {
        guard let state = profiles[profile], !state.waiters.isEmpty else { return }
        let asking = state.waiters.asking
        if let refusal = state.refusal(at: now, .whole, of: profile, asking: asking) {
            answerWaiters(of: profile, .failure(refusal), at: now)
        } else {
            begin(profile, on: .request, at: now, asking: asking, mayGesture: state.waiters.mayGesture)
            profiles[profile]?.flight?.isRepeated = isRepeated
        }
    }

    private func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    private func publish(_ profile: ProfileName) {
        let state = profiles[profile]
        published.publish(state?.session, for: profile, lenientUntil: state?.lenientUntil ?? .min)
    }
}

// MARK: - Those who wait

extension CredentialCache {
    private func wait(
        for profile: ProfileName, wantsNew: Bool, until end: Int64
    ) async throws(Problem) -> CachedCredentials {
        let id = nextID()
        let result: Result<CachedCredentials, Problem> = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<_, Never>) in
                guard profiles[profile]?.flight != nil else {
                    return continuation.resume(returning: .failure(stillWorking(profile)))
                }
                let now = settings.clock.now()
                let hasFallback = !wantsNew && profiles[profile]?.fallback(at: now) != nil
                // In whole seconds, so that thousands who wait have few deadlines.
                let giveUpAt = end / 1000 * 1000
                let answerAt = hasFallback ? (now.boot + settings.patience) / 1000 * 1000 : giveUpAt
                profiles[profile]?.waiters.add(
                    id,
                    .init(
                        wantsNew: wantsNew, giveUpAt: giveUpAt, answerAt: answerAt, asking: Asking.current,
                        mayGesture: Gestures.areAllowed, continuation: continuation))
                wakeKeeper(by: answerAt)
            }
        } onCancel: {
            Task { await leave(profile, id) }  // not awaited: it is one step long
        }
        return try result.get()
    }

    private func leave(_ profile: ProfileName, _ id: UInt64) {
        profiles[profile]?.waiters.remove(id, Problem(.requestTimeout, "the caller has hung up"))
    }

    /// Names the hop that is waited for.
    private func stillWorking(_ profile: ProfileName) -> Problem {
        let base = routes.bases(of: profile).prefix { profiles[$0]?.flight != nil }.last
        return base.map { Self.stillWorking($0).asked(for: $0) } ?? Self.stillWorking(profile)
    }

    private func answerWaiters(of profile: ProfileName, _ outcome: Result<CachedCredentials, Problem>, at now: Moment) {
        guard let state = profiles[profile], !state.waiters.isEmpty else { return }
        profiles[profile]?.waiters.answerAll(outcome, fallback: state.fallback(at: now))
        published.markUsed(profile)
    }
}

// MARK: - The keeper

extension CredentialCache {
    /// An attempt that takes longer is given up: no source takes ten minutes, but a hung one must not hold a profile
    /// for ever.
    private static let longestFlight: Int64 = 600_000

    /// Refreshes in the background, keeps deadlines, and drops what has lapsed, until `stop` or cancellation.
    package func run() async {
        await withTaskCancellationHandler {
            while !isStopped, !Task.isCancelled {
                for name in profiles.keys { await forgetOutlivedRefusal(of: name) }
                guard !isStopped, !Task.isCancelled else { break }  // it had no nap to be woken from
                let pause = look()
                alarm = settings.clock.boot() + pause
                // Awaited below. Cancelled to look sooner, so the error is no news.
                let nap = Task { [clock = settings.clock] in _ = try? await clock.sleep(pause) }
                self.nap = nap
                await nap.value
            }
        } onCancel: {
            Task { await stop() }  // not awaited: it is one step long
        }
        stop()
    }

    /// Makes the keeper look no later than at this boot time.
    private func wakeKeeper(by boot: Int64) {
        if boot < alarm { nap?.cancel() }
    }

    /// Does what is due, and returns the milliseconds to the next look: never more than a minute, because both clocks
    /// can leap while timers sleep, and uses by `published` make no noise.
    private func look() -> Int64 {
        let now = settings.clock.now()
        return profiles.keys.map { look(at: $0, now) }.reduce(60_000, min)
    }

    private func look(at name: ProfileName, _ now: Moment) -> Int64 {
        if let flight = profiles[name]?.flight, now.boot - flight.began >= Self.longestFlight {
            abandonFlight(of: name)
            fail(name, Self.givenUp(name), of: flight, at: now)
        }
        if let session = profiles[name]?.session, !session.validity.canBeHandedOut(at: now) {
            profiles[name]?.session = nil
            publish(name)
        }
        let fallback = profiles[name]?.fallback(at: now)
        let stillWorking = stillWorking(name)  // before the state is changed, as it reads that
        if profiles[name]?.waiters.answerOverdue(at: now, fallback: fallback, stillWorking) == true {
            profiles[name]?.flight?.isSlow = true
            publish(name)
            published.markUsed(name)
        }
        let isRefreshed =
            published.isUsed(name) && needsPerson(for: name) == false && !isLocked(name)
        if isRefreshed, profiles[name]?.untilAttempt(at: now) == 0 {
            begin(name, on: .background, at: now, asking: nil)
        }
        guard let state = profiles[name] else { return 60_000 }
        // All that the profile has ahead; after the above nothing is due.
        let pauses = [
            state.waiters.nextAnswer.map { $0 - now.boot },
            state.flight.map { $0.began + Self.longestFlight - now.boot },
            state.session.map { $0.validity.remaining(at: now) - SessionValidity.leastHandedOut + 1 },
            isRefreshed ? state.untilAttempt(at: now) : nil,
        ]
        return pauses.lazy.compactMap(\.self).reduce(60_000, min)
    }

    /// Abandons the flight: its result will be discarded.
    private func abandonFlight(of name: ProfileName) {
        profiles[name]?.flight?.task.cancel()
        profiles[name]?.flight = nil
    }
}

// MARK: - Changes

extension CredentialCache {
    /// Drops the sessions of these profiles (nil: all profiles'), which the source says are locked, and those that are made
    /// of them. A session under way is not stored, and those who wait for it are told.
    ///
    /// - Returns: The profiles whose sessions were dropped, and those whose callers may have got one of them.
    @discardableResult package func lock(_ names: Set<ProfileName>? = nil) -> Set<ProfileName> {
        let now = settings.clock.now()
        let locked = names.map(routes.withDependents)
        let names = known(names)
        for name in names { abandon(name) }
        for name in names {
            if locked?.contains(name) ?? true {
                answerWaiters(of: name, .failure(Self.locked(name)), at: now)
            } else {
                beginAgain(name, at: now)  // a fallback of its base is locked, not its root
            }
        }
        return routes.withThoseTheyStandInFor(names)
    }

    /// A token came, went, got its PIN or was unlocked: attempts that waited for that are allowed again.
    package func stateChanged(_ names: Set<ProfileName>? = nil) {
        for name in known(names) {
            profiles[name]?.forgetCurable()
            publish(name)
        }
        wakeKeeper(by: settings.clock.now().boot)
    }

    /// Drops these profiles' sessions (nil: all profiles'), say because their role was revoked, and those that are made of
    /// them. The next caller gets a new one; a session under way is not stored, and those who wait for it wait for another.
    ///
    /// - Returns: The profiles whose sessions were dropped, and those whose callers may have got one of them.
    @discardableResult package func drop(_ names: Set<ProfileName>? = nil) -> Set<ProfileName> {
        let now = settings.clock.now()
        let names = known(names)
        for name in names { abandon(name) }
        for name in names { beginAgain(name, at: now) }
        return routes.withThoseTheyStandInFor(names)
    }

    /// Whether a profile's last attempt failed for something that only a change of the tokens makes good, or another user
    /// was refused in the last minute because a person is needed. A lock ends by `unlock`, which tells.
    package var waitsForTokens: Bool {
        profiles.values.compactMap(\.failure?.cause).contains { $0.retry == .token && $0.code != .locked }
            || refusedGesture.map { settings.clock.now().boot - $0 < 60_000 } ?? false
    }

    /// A reload: `names` are the profiles that there are from now on, `changed` those of them whose sessions are no
    /// longer what is asked for. All others keep theirs, with their pauses and locks; refusals are asked again once.
    ///
    /// The source must know the new configuration already.
    package func replace(
        _ names: Set<ProfileName>, routes: ProfileRoutes = ProfileRoutes(), changed: Set<ProfileName>
    ) {
        guard !isStopped else { return }
        self.routes = routes
        let now = settings.clock.now()
        for name in profiles.keys.filter({ !names.contains($0) }) {
            abandon(name)
            answerWaiters(of: name, .failure(.unknownProfile("\(name)")), at: now)
            profiles[name] = nil
        }
        for name in names where profiles[name] == nil { profiles[name] = ProfileState() }
        for (name, state) in profiles where state.standIn.map({ !routes.fallbacks(of: name).contains($0) }) ?? false {
            profiles[name]?.standIn = nil
        }
        stateChanged()
        drop(changed.union(profiles.filter { !$0.value.isMade(for: $0.key, along: routes) }.keys))
    }

    /// Answers all who wait, drops all sessions, and ends `run`. Final.
    package func stop() {
        isStopped = true
        let now = settings.clock.now()
        for name in profiles.keys {
            abandon(name)
            answerWaiters(of: name, .failure(Self.shuttingDown), at: now)
        }
        profiles = [:]
        published.removeAll()
        nap?.cancel()
    }

    /// Drops the session that is held, and the one that is under way.
    private func abandon(_ name: ProfileName) {
        abandonFlight(of: name)
        profiles[name]?.session = nil
        publish(name)
    }

    /// Those of these profiles (nil: of all) that there are, and their dependents, with those that a fallback has made
    /// dependent.
    private func known(_ names: Set<ProfileName>?) -> Set<ProfileName> {
        let all = Set(profiles.keys)
        guard let names else { return all }
        let dependents = routes.withDependents(names)
        return dependents.intersection(all).union(profiles.filter { $0.value.isMade(of: dependents) }.keys)
    }
}
