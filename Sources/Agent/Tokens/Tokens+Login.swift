package import AgentAPI
import PKCS11URI
import TokenService

extension Tokens {
    /// Sees to it that the token is logged in, with the stored PIN where there is one. Whoever needs the same login
    /// shares it; what the token refused is not tried again. A locked token is not used, even if it asks for no PIN.
    ///
    /// - Parameter purpose: What a person is asked for the PIN with; nil: nobody is asked.
    package func logIn(to token: FoundToken, for purpose: LoginPurpose? = nil) async throws(Problem) {
        guard !locks.contains(token.key) else { throw PINTrouble.locked.problem(for: token.snapshot.token) }
        let token = await withoutOverdueLogin(token)
        guard token.snapshot.flags.contains(.loginRequired) else { return }
        await waitForGestures(on: token)
        if let running = access[token.key]?.login?.task {
            let isNoneOfOurs =
                switch await running.value {
                case .failure(.needed): purpose != nil  // it had nobody to ask
                case .failure(.ambiguous): token.meantBy != nil  // it named no module
                default: false
                }
            guard isNoneOfOurs else { return try await finish(running, token) }
        }
        try await finish(
            access[token.key]?.login?.task
                ?? login(to: token) { await self.attempt(token, pin: nil, isAsked: false, purpose) }, token)
    }

    /// Logs in with a PIN that a person typed, or with the stored one where none is given: what ends a lock and a
    /// refusal.
    ///
    /// - Parameter isFromLogin: Nobody typed the PIN for this token, so it ends no refusal, and is not sent after one.
    func unlock(_ token: FoundToken, pin: HeldPIN?, isFromLogin: Bool) async throws(Problem) {
        if isFromLogin, hasRefused(token) { throw PINTrouble.notFromLogin.problem(for: token.snapshot.token) }
        if pin != nil { access[token.key, default: TokenAccess()].waitingPINs += 1 }
        defer { if pin != nil { access[token.key]?.waitingPINs -= 1 } }
        if let pin, let running = access[token.key]?.login, await prompts.supply(.pin(pin), for: token.key) {
            return try await finish(running.task, token)
        }
        let purpose = LoginPurpose(Asking.current)
        let isOwed = owesAnswer(token)
        let login = login(to: token) {
            // What has ended meanwhile is no mistake that the person has looked at.
            if pin == nil, !isOwed, await self.owesAnswer(token) { return .failure(.unanswered) }
            if isFromLogin, await self.hasRefused(token) { return .failure(.notFromLogin) }
            return await self.unlockNow(token, pin: pin, purpose)
        }
        try await finish(login, token)
    }

    /// Unlocks when no login is under way: one that is could still end without an answer, which nobody has forgiven.
    private func unlockNow(
        _ token: FoundToken, pin: HeldPIN?, _ purpose: LoginPurpose?
    ) async -> Result<Void, PINTrouble> {
        let before = locks
        locks.unlock(token.key)
        access[token.key, default: TokenAccess()].refusal = nil
        forgive(token)
        let result = await attempt(token, pin: pin, isAsked: true, purpose)
        if case .failure = result { locks.restore(token.key, from: before) }
        try? keepLocks()  // after a restart the token is locked again, and nothing worse
        return result
    }

    // MARK: One login

    private func finish(_ login: Task<Result<Void, PINTrouble>, Never>, _ token: FoundToken) async throws(Problem) {
        switch await login.value {
        case .success: return
        case .failure(let trouble): throw trouble.problem(for: token.snapshot.token)
        }
    }

    /// The token's next login, after those that are under way.
    private func login(
        to token: FoundToken, _ body: @escaping @Sendable () async -> Result<Void, PINTrouble>
    ) -> Task<Result<Void, PINTrouble>, Never> {
        // Another module may show the same card: what it refuses there must be known before it is asked here.
        let others = access.filter { $0.key.token == token.snapshot.token }.compactMap(\.value.login?.task)
        let id = awaited.nextID()
        let task = Task {  // awaited by all who call this
            for other in others { _ = await other.value }
            let result = await body()
            if self.access[token.key]?.login?.id == id { self.access[token.key]?.login = nil }
            return result
        }
        access[token.key, default: TokenAccess()].login = TokenAccess.Login(id: id, task: task)
        return task
    }

    /// - Parameter isAsked: A person stands at the token: its keypad may be switched on.
    func attempt(
        _ token: FoundToken, pin: HeldPIN?, isAsked: Bool, _ purpose: LoginPurpose?
    ) async -> Result<Void, PINTrouble> {
        await renewAfterSleep()
        await readers.settle()
        if locks.contains(token.key) { return .failure(.locked) }
        let rule = rule(for: token.located)
        if pin == nil, let refusal = access[token.key]?.refusal, !yields(refusal, to: purpose, rule) {
            return .failure(refusal.trouble)
        }
        guard let host = host(of: token.key) else { return .failure(.needed) }
        let source: LoginRequest.Source
        if pin != nil {
            source = .typed
        } else if let stored = rule.flatMap({ loginSource(for: $0.pinSource) }), isAsked || stored != .protected {
            source = stored
        } else {
            // Only a person has the PIN, and may have given it already: the worker knows.
            if token.snapshot.isLoggedIn { return .success(()) }
            return rule?.pinSource == .protected ? .failure(.keypad) : await logInByPrompt(token, purpose)
        }
        if let trouble = ambiguity(of: token, rule) { return .failure(trouble) }
        if owesAnswer(token) { return .failure(.unanswered) }
        let reference = TokenReference(slotID: token.snapshot.slotID, token: token.snapshot.token)
        let request = LoginRequest(
            token: reference, source: source, refused: source == .protected ? [] : refusedPINs(of: token),
            mayBeReserved: rule?.reservedPINs == true, isFromLogin: pin?.isFromLogin == true)
        let stamp = StoredPINStamp(source)
        // A PIN that the token has taken before costs no try, unless it was changed on the token since.
        let isKnown = stamp != nil && stamp == access[token.key]?.takenPIN
        if !isKnown {
            let rest = loginPace.rest(for: token.key.token, at: clock.boot())
            if rest > 0 { try? await clock.sleep(rest) }  // a cancelled sleep means that the agent ends
            if locks.contains(token.key) { return .failure(.locked) }
            guard hasRoomForTries(of: token.key) else { return .failure(.triesUnkept) }
            expectAnswer(from: token.key)
        }
        let call = awaited.nextID()
        if source == .protected { awaited.note(call, token.key, .pinpad) } else { awaited.noteLogin(call, token.key) }
        let answer = await host.logIn(request, pin: pin)
        awaited.end(call)
        if answer.mayHaveSentPIN {
            loginPace.note(token.key.token, isTaken: answer == .success(.loggedIn), at: clock.boot())
        }
        if isKnown { noteRepeat(answer, from: token.key) } else { noteAnswer(answer, from: token.key) }
        let result = note(answer, token: token, rule: rule, isTyped: pin != nil, stamp: stamp)
        guard locks.contains(token.key) else { return result }
        // Locked meanwhile, perhaps before there was a worker to log out.
        await logOut(token.key, slotID: token.snapshot.slotID)
        return .failure(.locked)
    }

    func note(
        _ result: Result<LoginOutcome, ModuleFailure>, token: FoundToken, rule: TokenRule?, isTyped: Bool,
        stamp: StoredPINStamp?
    ) -> Result<Void, PINTrouble> {
        let key = token.key
        let name = token.snapshot.token.plainName
        switch result {
        case .failure(let failure):
            log.warning("login failed", metadata: ["token": "\(name)", "why": "\(failure)"])
            return .failure(.module(failure))
        case .success(.loggedIn):
            log.notice("logged in", metadata: ["token": "\(name)", "pin": isTyped ? "typed" : "stored"])
            access[key]?.refusal = nil
            // A typed PIN says nothing for the stored one, which may be what was refused, and will be tried again.
            if !isTyped || rule.flatMap({ loginSource(for: $0.pinSource) }) == nil { forget(refusedPINsOf: token) }
            if isTyped || rule?.pinSource == .protected {
                startLifetime(of: token, rule: rule)
            } else {
                access[key, default: TokenAccess()].takenPIN = stamp
                access[key]?.isForOneSignature = false
            }
            return .success(())
        case .success(.notNeeded): return .success(())
        case .success(.refused(let refusal)):
            log.warning("PIN not sent", metadata: ["token": "\(name)", "why": "\(refusal)"])
            if refusal == .locked { access[key, default: TokenAccess()].refusal = .blocked }
            if case .unreadable(let reason) = refusal, let source = rule?.pinSource {
                return .failure(.notSent(.unreadable(reason: explain(reason, of: source))))
            }
            return .failure(.notSent(refusal))
        case .success(.rejected(let value, let code, let failed, let oddities)):
            log.error("PIN refused by the token", metadata: ["token": "\(name)", "code": "\(code)"])
            if let oddities = oddities.sentence {
                log.warning(
                    "the PIN may hold what does not belong to it",
                    metadata: ["token": "\(name)", "pin-has": "\(oddities)"])
            }
            let refusal: TokenAccess.Refusal =
                value == LoginOutcome.pinLocked ? .blocked : .rejected(name: code, oddities: oddities)
            access[key, default: TokenAccess()].refusal = refusal
            access[key]?.takenPIN = nil
            if let failed { remember(failed, of: key) }
            return .failure(refusal.trouble)
        }
    }

    // MARK: The end of a login

    private func startLifetime(of token: FoundToken, rule: TokenRule?) {
        let seconds = Int64(rule?.pinLifetimeSeconds ?? 28_800)
        access[token.key, default: TokenAccess()].isForOneSignature = seconds == 0
        access[token.key]?.isSpent = false
        guard seconds > 0 else { return }
        let end = clock.boot() + seconds * 1000
        access[token.key, default: TokenAccess()].typedUntil = end
        Task {  // ends by itself; nobody waits for it
            // In short steps, because timers may stand still while the machine sleeps, and this time does not. A cancelled
            // sleep means that the agent ends, which logs out anyway.
            while self.clock.boot() < end, (try? await self.clock.sleep(min(30_000, end - self.clock.boot()))) != nil {}
            if self.access[token.key]?.typedUntil == end {
                await self.logOut(token.key, slotID: token.snapshot.slotID)
            }
        }
    }

    func logOut(_ key: TokenKey, slotID: UInt64) async {
        access[key]?.typedUntil = nil  // a signature that is spent stays so: it may still be logged in for a moment
        log.notice("logging out", metadata: ["token": "\(key.token.plainName)"])
        await host(of: key)?.logOut(TokenReference(slotID: slotID, token: key.token))
    }

    func host(of key: TokenKey) -> ModuleHost? { hosts.first { $0.identity == key.module } }

    func gone(_ token: FoundToken) -> Problem {
        Problem(
            .tokenGone, "token \(token.snapshot.token.displayName) is gone with its module",
            hint: "run 'tokenward list' to see what is there")
    }
}

extension TokenAccess.Refusal {
    var trouble: PINTrouble {
        switch self {
        case .rejected(let name, let oddities): .rejected(name: name, oddities: oddities)
        case .blocked: .blocked
        case .declined(let decline): .declined(decline)
        case .notSent(let refusal): .notSent(refusal)
        }
    }
}
