package import AgentAPI
import Files
import Prompts
import ServiceAnswers

/// The sessions of all profiles: one refresh for all who wait, begun early, with pauses when it fails, and nothing
/// expired handed out. Nothing of it is ever on disk.
///
/// `SessionRequests` decides; this carries out. `run` must be running: it refreshes in the background and keeps the
/// deadlines.
package actor CredentialCache {
    /// The credentials that are ready without waiting; ask it first.
    package nonisolated let published: PublishedCredentials
    private let settings: CacheSettings
    private let source: any CredentialSource
    private var requests: SessionRequests
    /// The attempts that are under way, by their numbers.
    private var attempts: [UInt64: Task<Void, Never>] = [:]
    /// The clients that wait, by the numbers of their calls.
    private var clients: [UInt64: CheckedContinuation<Result<CachedCredentials, Problem>, Never>] = [:]
    /// The keeper's wait for its next look at the clocks, and when that is, in boot time.
    private var nap: Task<Void, Never>?
    private var napEnd = Int64.min

    package init(
        profiles: Set<ProfileName>, routes: ProfileRoutes = ProfileRoutes(), source: any CredentialSource,
        settings: CacheSettings
    ) {
        let published = PublishedCredentials(clock: settings.clock)
        self.published = published
        self.source = source
        self.settings = settings
        requests = SessionRequests(
            profiles: profiles, routes: routes,
            CacheSurroundings(
                isLocked: source.isLocked, needsPerson: source.needsPerson, isUsed: published.isUsed,
                random: settings.random, patience: settings.patience))
    }

    /// Credentials with at least 20 minutes left (half of a short session's time), or, where the service does not
    /// answer, what is still valid for a minute or more; those of a fallback, where the profile is down.
    ///
    /// Returns at once where it can. Otherwise it waits for the one refresh that all callers share, no longer than
    /// `answerWithin`, and no longer than `patience` where something valid can be had instead. A caller whose task
    /// is cancelled leaves the refresh to the others.
    package func credentials(for profile: ProfileName) async throws(Problem) -> CachedCredentials {
        try await answer(to: profile, on: .request) { $0.ask($1, at: $2) }
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
        try await answer(to: profile, on: .demand) { $0.refresh($1, isOwner ? .owner : .others, at: $2) }
    }

    /// Credentials that are still valid, or why there are none, without waiting. A new session is obtained beside it where it
    /// is due and no person has to act for it, and that of a fallback while the profile is known to be down.
    package func held(for profile: ProfileName) throws(Problem) -> CachedCredentials {
        try perform { requests, now in
            Result { () throws(Problem) in try requests.held(profile, at: now) }
        }.get()
    }

    /// Nil for an unknown profile.
    package func status(of profile: ProfileName) -> CredentialStatus? {
        requests.chains.status(of: profile, at: settings.clock.now())
    }

    /// Whether a profile's last attempt failed for something that only a change of the tokens makes good, or another user
    /// was refused in the last minute because a person is needed. A lock ends by `unlock`, which tells.
    package var waitsForTokens: Bool { requests.chains.waitsForTokens(at: settings.clock.now()) }

    /// Waits for the answer to a call.
    private func answer(
        to profile: ProfileName, on occasion: Occasion, _ ask: (inout SessionRequests, SessionCall, Moment) -> Void
    ) async throws(Problem) -> CachedCredentials {
        let id = requests.newID()
        let result: Result<CachedCredentials, Problem> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                clients[id] = continuation
                perform { requests, now in
                    var call = SessionCall(
                        id, for: profile, .client, on: occasion, by: .current, until: now.boot + settings.answerWithin)
                    call.wantsNew = occasion == .demand
                    ask(&requests, call, now)
                }
            }
        } onCancel: {
            Task { await leave(id) }  // not awaited: it is one step long
        }
        return try result.get()
    }

    private func leave(_ id: UInt64) { perform { requests, _ in requests.leave(id) } }
}

// MARK: - Steps

extension CredentialCache {
    /// Tells of what happens, and carries out what is decided.
    @discardableResult private func perform<R>(_ event: (inout SessionRequests, Moment) -> R) -> R {
        let result = event(&requests, settings.clock.now())
        for step in requests.takeSteps() { carryOut(step) }
        if requests.alarm < napEnd { nap?.cancel() }
        return result
    }

    private func carryOut(_ step: CacheStep) {
        switch step {
        case .publish(let profile, let session, let lenientUntil):
            published.publish(session, for: profile, lenientUntil: lenientUntil)
        case .markUsed(let profile): published.markUsed(profile)
        case .noteStandIn(let profile, let name): settings.noteStandIn(profile, name)
        case .look(let profile, let purpose):
            Task {  // not awaited: it ends with the look
                let files = await source.files(of: profile)
                perform { $0.looked(at: profile, for: purpose, files, at: $1) }
            }
        case .ask(let profile, let flight, let base):
            // Not awaited: it ends in `land`, or is cancelled.
            attempts[flight.id] = flight.person.act { Task { await attempt(flight, for: profile, from: base?.key) } }
        case .cancel(let flight): attempts.removeValue(forKey: flight)?.cancel()
        case .answer(let call, let result): clients.removeValue(forKey: call)?.resume(returning: result)
        }
    }

    private func attempt(_ flight: ProfileState.Flight, for profile: ProfileName, from base: SessionKey?) async {
        let result: Result<SessionCredentials, Problem>
        do throws(Problem) {
            result = .success(try await source.credentials(for: profile, on: flight.occasion, from: base))
        } catch {
            result = .failure(error)
        }
        land(result, of: flight, for: profile)
    }

    private func land(
        _ result: Result<SessionCredentials, Problem>, of flight: ProfileState.Flight, for profile: ProfileName
    ) {
        attempts[flight.id] = nil
        guard requests.isUnderWay(flight.id, of: profile) else { return }
        let outcome = Result { () throws(Problem) in
            try CachedCredentials(
                try result.get(), of: [profile] + flight.madeOf, receivedAt: settings.clock.now(), settings)
        }
        perform { $0.ended(flight.id, of: profile, outcome, at: $1) }
    }
}

// MARK: - The keeper

extension CredentialCache {
    /// Refreshes in the background, keeps deadlines, and drops what has lapsed, until `stop` or cancellation.
    package func run() async {
        await withTaskCancellationHandler {
            while !requests.isStopped, !Task.isCancelled {
                perform { $0.tick(at: $1) }
                napEnd = requests.alarm
                let pause = max(0, napEnd - settings.clock.boot())
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
}

// MARK: - Changes

extension CredentialCache {
    /// Drops the sessions of these profiles (nil: all profiles'), which the source says are locked, and those that are made
    /// of them. A session under way is not stored, and those who wait for it are told.
    ///
    /// - Returns: The profiles whose sessions were dropped, and those whose callers may have got one of them.
    @discardableResult package func lock(_ names: Set<ProfileName>? = nil) -> Set<ProfileName> {
        perform { $0.lock(names, at: $1) }
    }

    /// A token came, went, got its PIN or was unlocked: attempts that waited for that are allowed again.
    package func stateChanged(_ names: Set<ProfileName>? = nil) { perform { $0.stateChanged(names, at: $1) } }

    /// Drops these profiles' sessions (nil: all profiles'), say because their role was revoked, and those that are made of
    /// them. The next caller gets a new one; a session under way is not stored, and those who wait for it wait for another.
    ///
    /// - Returns: The profiles whose sessions were dropped, and those whose callers may have got one of them.
    @discardableResult package func drop(_ names: Set<ProfileName>? = nil) -> Set<ProfileName> {
        perform { $0.drop(names, at: $1) }
    }

    /// A reload: `names` are the profiles that there are from now on, `changed` those of them whose sessions are no
    /// longer what is asked for. All others keep theirs, with their pauses and locks; refusals are asked again once.
    ///
    /// The source must know the new configuration already.
    package func replace(
        _ names: Set<ProfileName>, routes: ProfileRoutes = ProfileRoutes(), changed: Set<ProfileName>
    ) {
        perform { $0.replace(names, routes: routes, changed: changed, at: $1) }
    }

    /// Answers all who wait, drops all sessions, and ends `run`. Final.
    package func stop() {
        perform { requests, _ in requests.stop() }
        nap?.cancel()
    }
}
