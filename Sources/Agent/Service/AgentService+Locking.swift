package import AgentAPI
import Logind
import TokenService
import Tokens

extension AgentService {
    /// The events on which the agent forgets PINs and credentials by itself.
    var lockOn: Set<LockEvent> { configuration.lockOn ?? LockEvent.usual(for: scope) }

    /// Locks every token until a person unlocks it: `tokenward lock`, and SIGUSR1.
    ///
    /// - Throws: `.lockNotKept`, locked, where the lock ends with this agent.
    package func lock() async throws(Problem) {
        await lockSessions(nil)  // first, whatever the tokens wait for
        await tokens.lockAll()
        await lockSessions(nil)  // what began between the two, and has its signature
        await tokens.endLogins()
        try await tokens.keepLocks()
    }

    /// Drops these profiles' sessions (nil: all profiles'), those that are on their way to a client among them.
    func lockSessions(_ names: Set<ProfileName>?) async {
        await cache.lock(names)
        await server?.withdrawCredentials(of: names)
    }

    /// Starts to listen to logind where the configuration asks for it.
    func watchSessions() {
        if lockOn.contains(where: \.isLogind) { sessionWatch.start() }
    }

    /// The notices about `lock-on` in the answer to `status`.
    var lockNotices: [String] {
        var notices: [String] = []
        let wanted = lockOn.filter(\.isLogind).map(\.rawValue).sorted().joined(separator: ", ")
        if !wanted.isEmpty, let failure = sessionWatch.failure {
            notices.append("lock-on: \(wanted): these events are not heard: \(failure)")
        }
        if lockOn.contains(.suspend), let failure = sessionWatch.sleepFailure {
            notices.append(
                "lock-on: suspend: the machine may sleep before PINs and credentials are forgotten: \(failure)")
        }
        if scope == .system, !lockOn.isDisjoint(with: [.screenLock, .sessionEnd]) {
            notices.append("lock-on: screen-lock and session-end are of the agent's own user, who has no sessions")
        }
        return notices
    }

    /// Does what logind's news ask for.
    func follow(_ event: SessionEvent) async {
        switch event {
        case .sleeping:
            await begin(.suspend)
            sessionWatch.allowSleep()
        case .awake: await end(.suspend)
        case .screenLocked: await begin(.screenLock)
        case .screenUnlocked: await end(.screenLock)
        case .screenLockRequested: await lockOnce(.screenLock)
        case .sessionEnded: await lockOnce(.sessionEnd)
        }
    }

    /// Tokens were taken out: what was typed for them is forgotten, and what came from them dropped. Nothing is locked:
    /// who brings the token back needs its PIN, and a stored one logs in again.
    func forget(_ removed: [TokenKey: UInt64]) async {
        guard lockOn.contains(.removal) else { return }
        for key in removed.keys {
            log.notice("token removed", metadata: ["token": "\(key.token.plainName)"])
        }
        let names = source.profiles(leaving: Set(removed.keys))
        await cache.drop(names)
        await server?.withdrawCredentials(of: names)
        await tokens.forget(removed: removed)
        // Drop sessions too that began between the two and are signed already.
        await cache.drop(source.profiles(leaving: Set(removed.keys)))
    }

    /// - Returns: False where the event lasts already, or the configuration does not name it.
    @discardableResult private func begin(_ event: LockEvent) async -> Bool {
        guard lockOn.contains(event), await tokens.begin(event) else { return false }
        log.notice("locking", metadata: ["because-of": "\(event.rawValue)"])
        await lockSessions(nil)
        await tokens.endLogins()
        return true
    }

    /// Ends an event's lock. Stored PINs may log in again; typed PINs have to be typed again.
    func end(_ event: LockEvent) async {
        guard await tokens.end(event) else { return }
        await cache.stateChanged()
    }

    private func lockOnce(_ event: LockEvent) async {
        if await begin(event) { await end(event) }
    }
}
