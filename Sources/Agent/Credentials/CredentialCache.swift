package import AgentAPI
import Files
import Prompts
import RolesAnywhere

/// The sessions of all profiles: one refresh for all who wait, begun early, with pauses when it fails, and nothing
/// expired handed out. Nothing of it is ever on disk.
///
/// `run` must be running: it refreshes in the background and keeps the deadlines.
package actor CredentialCache {
    /// The credentials that are ready without waiting; ask it first.
    package nonisolated let published: PublishedCredentials
    let settings: CacheSettings
    let source: any CredentialSource
    var profiles: [ProfileName: ProfileState]
    var isStopped = false
    /// The last number given to a flight or a waiter.
    private var lastID: UInt64 = 0
    /// The keeper's wait for its next look at the clocks, and when that is, in boot time.
    var nap: Task<Void, Never>?
    var alarm = Int64.max
    /// When another user was last refused because a person is needed, in boot time.
    private(set) var refusedGesture: Int64?

    package init(profiles: Set<ProfileName>, source: any CredentialSource, settings: CacheSettings) {
        published = PublishedCredentials(clock: settings.clock)
        self.profiles = Dictionary(uniqueKeysWithValues: profiles.map { ($0, ProfileState()) })
        self.source = source
        self.settings = settings
    }

    /// Credentials with at least 20 minutes left (half of a short session's time), or, where the service does not
    /// answer, what is still valid for a minute or more.
    ///
    /// Returns at once where it can. Otherwise it waits for the one refresh that is shared by all, no longer than
    /// `answerWithin`, and no longer than `patience` where something valid can be had instead. A caller whose task
    /// is cancelled leaves the refresh to the others.
    package func credentials(for profile: ProfileName) async throws(Problem) -> CachedCredentials {
        await forgetOutlivedRefusal(of: profile)
        if let ready = try readyOrUnderWay(profile) { return ready }
        return try await wait(for: profile, wantsNew: false)
    }

    /// Credentials of a new session, whatever is held.
    ///
    /// Joins a refresh under way, even one that began before the call: its session is as new as the caller can tell,
    /// and another would cost another signature. Otherwise it starts one, also during a pause after a failure: not where
    /// one has given a session in the last 30 seconds, and with no more than a share of the attempts that a profile has
    /// in an hour.
    ///
    /// - Parameter isOwner: Whether the agent's owner asks; other users have a share of their own.
    package func refresh(
        _ profile: ProfileName, isOwner: Bool = true
    ) async throws(Problem) -> CachedCredentials {
        try ensureRefresh(profile, isOwner ? .owner : .others)
        return try await wait(for: profile, wantsNew: true)
    }

    /// Nil for an unknown profile.
    package func status(of profile: ProfileName) -> CredentialStatus? {
        profiles[profile]?.status(
            of: profile, at: settings.clock.now(), isUsed: published.isUsed(profile),
            isLocked: source.isLocked(profile), needsPerson: source.needsPerson(for: profile) ?? true)
    }

    /// The answer that can be given now, or nil with a flight in the air.
    ///
    /// These two don't suspend: a copy of the state that a suspended caller kept would be copied with all who wait.
    private func readyOrUnderWay(_ profile: ProfileName) throws(Problem) -> CachedCredentials? {
        if let ready = published.ready(profile) { return ready }
        let state = try state(of: profile)
        guard state.flight == nil else { return nil }
        let now = settings.clock.now()
        if let refusal = state.refusal(at: now, .whole, of: profile, asking: Asking.current)
            ?? refusalOfGestures(for: profile, at: now)
        {
            guard let fallback = state.fallback(at: now) else { throw refusal }
            published.markUsed(profile)
            return fallback
        }
        begin(profile, on: .request, at: now)
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
        guard !Gestures.areAllowed, source.needsPerson(for: profile) == true else { return nil }
        refusedGesture = now.boot
        return Self.needsOwner(profile)
    }

    /// Forgets a refusal whose files have changed. They are looked at outside of the actor: a file system that hangs
    /// costs those who need it, and no lock.
    func forgetOutlivedRefusal(of profile: ProfileName) async {
        guard profiles[profile]?.failure?.isRefusal == true else { return }
        let files = await source.files(of: profile)
        profiles[profile]?.forgetRefusal(ifNotOf: files)
    }

    /// The profile's state, if it may be asked for credentials at all.
    private func state(of profile: ProfileName) throws(Problem) -> ProfileState {
        guard !isStopped else { throw Self.shuttingDown }
        guard let state = profiles[profile] else { throw .unknownProfile("\(profile)") }
        guard !source.isLocked(profile) else { throw Self.locked(profile) }
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
    func begin(
        _ profile: ProfileName, on occasion: Occasion, at now: Moment, _ share: AttemptBudget.Share = .whole,
        asking: Asking? = Asking.current, mayGesture: Bool = Gestures.areAllowed
    ) {
        let id = nextID()
        let occasion = mayGesture ? occasion : .foreign
        // Not awaited: it ends in `land`, and the code that takes it out of `flight` cancels it.
        let task = Asking.$current.withValue(asking) {
            Task { [source] in
                let files = await source.files(of: profile)  // before they are read, so that no change is missed
                do throws(Problem) {
                    land(.success(try await source.credentials(for: profile, on: occasion)), of: profile, id, files)
                } catch {
                    land(.failure(error), of: profile, id, files)
                }
            }
        }
        profiles[profile]?.budget.record(now.boot, share)
        profiles[profile]?.flight = .init(
            id: id, began: now.boot, task: task, asking: asking, mayGesture: mayGesture)
    }

    private func land(
        _ result: Result<SessionCredentials, Problem>, of profile: ProfileName, _ id: UInt64, _ files: [FileStamp?]
    ) {
        // Locked, dropped, reconfigured or stopped meanwhile: discard this session.
        guard let flight = profiles[profile]?.flight, flight.id == id else { return }
        let now = settings.clock.now()
        profiles[profile]?.flight = nil
        do throws(Problem) {
            let session = try HeldSession(result.get(), receivedAt: now, settings)
            profiles[profile]?.session = session
            profiles[profile]?.failure = nil
            publish(profile)
            answerWaiters(of: profile, .success(session.credentials), at: now)
        } catch {
            fail(profile, error, of: flight, reading: files, at: now)
        }
        wakeKeeper(by: now.boot)
    }

    /// Remembers why there is no new session; what is held stays.
    func fail(
        _ profile: ProfileName, _ cause: Problem, of flight: ProfileState.Flight, reading files: [FileStamp?] = [],
        at now: Moment
    ) {
        // The token was asked for nothing, so there is nothing to remember.
        if cause == Self.needsOwner(profile) {
            profiles[profile]?.forgetForced()
            guard profiles[profile]?.waiters.mayGesture == true else {
                return answerWaiters(of: profile, .failure(cause), at: now)
            }
            return beginAgain(profile, at: now)
        }
        profiles[profile]?.remember(
            cause, wasAsked: flight.asking != nil, reading: files, at: now, random: settings.random)
        let problem = profiles[profile]?.failure?.problem(at: now) ?? cause
        // "PIN needed", said before the PIN came. A module that failed has had its turn, and its deadline.
        let isVoid = flight.isOutdated && profiles[profile]?.failure?.isRefusal == true
        if isVoid { profiles[profile]?.failure = nil }
        publish(profile)
        // No person could be asked for this attempt, but one of the callers that have come since may have one.
        let asking = flight.asking == nil ? profiles[profile]?.waiters.asking : nil
        // Retry only once: the attempt's own login changes the token's state and would cause attempts without end.
        let isEnough = isVoid && flight.isRepeated
        if !isEnough, profiles[profile]?.failure?.yields(to: asking) ?? true {
            beginAgain(profile, at: now, isRepeated: isVoid)
        } else {
            answerWaiters(of: profile, .failure(problem), at: now)
        }
    }

    /// Another attempt for those who wait, after the one that they waited for has become void.
    ///
    /// - Parameter isRepeated: Because of what has changed meanwhile.
    func beginAgain(_ profile: ProfileName, at now: Moment, isRepeated: Bool = false) {
        guard let state = profiles[profile], !state.waiters.isEmpty else { return }
        let asking = state.waiters.asking
        if let refusal = state.refusal(at: now, .whole, of: profile, asking: asking) {
            answerWaiters(of: profile, .failure(refusal), at: now)
        } else {
            begin(profile, on: .request, at: now, asking: asking, mayGesture: state.waiters.mayGesture)
            profiles[profile]?.markRepeated(isRepeated)
        }
    }

    func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    func publish(_ profile: ProfileName) {
        let state = profiles[profile]
        published.publish(state?.session, for: profile, lenientUntil: state?.lenientUntil ?? .min)
    }
}
