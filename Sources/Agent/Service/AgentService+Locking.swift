package import AgentAPI
import Logind
import PKCS11URI
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
        await tokens.changeLocks { $0.lockAll() }
        await lockSessions(nil)  // what began between the two, and has its signature
        await tokens.endLogins()
        try await tokens.keepLocks()
    }

    /// Drops these profiles' sessions (nil: all profiles') and what is made of them, those that are on their way to a client
    /// among them.
    func lockSessions(_ names: Set<ProfileName>?) async {
        let dropped = await cache.lock(names)
        await server?.withdrawCredentials(of: names == nil ? nil : dropped)
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
    func forget(_ removed: Set<TokenKey>) async {
        guard lockOn.contains(.removal) else { return }
        for key in removed {
            log.notice("token removed", metadata: ["token": "\(key.token.plainName)"])
        }
        let names = source.use.profiles(leaving: removed)
        await server?.withdrawCredentials(of: await cache.drop(names))
        await tokens.forget(removed: removed)
        // Drop sessions too that began between the two and are signed already.
        await cache.drop(source.use.profiles(leaving: removed))
    }

    /// - Returns: False where the event lasts already, or the configuration does not name it.
    @discardableResult private func begin(_ event: LockEvent) async -> Bool {
        guard lockOn.contains(event), await tokens.changeLocks({ $0.begin(event) }) else { return false }
        log.notice("locking", metadata: ["because-of": "\(event.rawValue)"])
        await lockSessions(nil)
        await tokens.endLogins()
        return true
    }

    /// Ends an event's lock. Stored PINs may log in again; typed PINs have to be typed again.
    func end(_ event: LockEvent) async {
        guard await tokens.changeLocks({ $0.end(event) }) else { return }
        await cache.stateChanged()
    }

    private func lockOnce(_ event: LockEvent) async {
        if await begin(event) { await end(event) }
    }
}

// MARK: - Locks of single tokens

extension AgentService {
    /// How long the answer waits for modules that may have more to lock, in milliseconds. A lock is to be done within a
    /// second, whatever hangs.
    private static let patience: Int64 = 50

    /// Locks the tokens that the URI matches, or all: at once what is known, then what the modules show.
    ///
    /// - Throws: `.noToken` where there is neither; `.lockNotKept`, locked, where the lock ends with this agent.
    func lock(_ text: String?) async throws(Problem) {
        guard let text else { return try await lock() }
        let uri = try parsed(text)
        let moment = Locks.Moment()
        let known = await tokens.known(matching: uri, used: source.use.usedTokens)
        await lock(known, asOf: moment)
        let look = Task { await lockSeen(uri, but: known, asOf: moment) }  // ends with the modules' deadlines
        if known.isEmpty {
            guard await look.value else { throw .noToken(uri) }
        } else {
            await wait(for: look)
        }
        try await tokens.keepLocks()
    }

    /// Tokens of now, without which a request by URI has nothing to do.
    func matching(_ text: String) async throws(Problem) -> [FoundToken] {
        let uri = try parsed(text)
        let found = await tokens.survey().tokens(matching: uri).map { $0.meant(by: uri) }
        guard !found.isEmpty else { throw .noToken(uri) }
        return found
    }

    /// - Returns: Whether a module shows a token that the URI matches.
    private func lockSeen(_ uri: PKCS11URI, but known: Set<TokenKey>, asOf moment: Locks.Moment) async -> Bool {
        let seen = Set(await tokens.survey().tokens(matching: uri).map(\.key))
        await lock(seen.subtracting(known), asOf: moment)
        return !seen.isEmpty
    }

    /// - Parameter moment: When that was asked for: tokens that were unlocked since are left out.
    private func lock(_ keys: Set<TokenKey>, asOf moment: Locks.Moment) async {
        let keys = keys.filter { !tokens.locks.hasUnlocked($0, since: moment) }
        guard !keys.isEmpty else { return }
        await lockSessions(source.use.profiles(on: keys))  // first, whatever the tokens wait for
        // From here on they sign nothing, so that no session comes after those that are dropped next.
        let locked = await tokens.changeLocks { [keys] in $0.lock(keys, asOf: moment) }
        await lockSessions(source.use.profiles(on: locked))
        await tokens.endLogins(of: locked)
    }

    private func wait(for look: Task<Bool, Never>) async {
        let (first, either) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        Task {  // ends with the look
            _ = await look.value
            either.finish()
        }
        await clock.ticking(every: Self.patience) {
            either.finish()
            return false
        } during: {
            for await _ in first {}
        }
    }

    private func parsed(_ text: String) throws(Problem) -> PKCS11URI {
        let uri: PKCS11URI
        do throws(PKCS11URIError) {
            uri = try PKCS11URI(text)
        } catch {
            throw Problem(
                .badRequest, "the URI: \(error.message, .reason)", hint: "'tokenward status' shows the tokens' URIs")
        }
        if let fault = uri.faultAsTokens {
            throw Problem(.badRequest, "the URI \(fault, .reason)", hint: "give '\(uri.tokenPart)'")
        }
        return uri
    }

}

extension Problem {
    static func noToken(_ uri: PKCS11URI) -> Problem {
        Problem(.noToken, "no token matches \(uri, .uri)", hint: "'tokenward status' shows the tokens that are there")
    }
}

extension Survey {
    func tokens(matching uri: PKCS11URI) -> [FoundToken] {
        tokens.filter { uri.matches($0.located) }
    }
}

extension LockEvent {
    /// The default.
    ///
    /// A user's agent goes by what the user does; but screens lock themselves every few minutes, and to ask for the PIN
    /// each time teaches people to type it anywhere. The system's serves programs with no person present, and a missing
    /// HSM is an outage, to be bridged by sessions that are still valid.
    static func usual(for scope: AgentScope) -> Set<LockEvent> {
        switch scope {
        case .user: [.suspend, .sessionEnd, .removal]
        case .system: []
        }
    }

    /// Whether logind reports it.
    fileprivate var isLogind: Bool { self != .removal }
}
