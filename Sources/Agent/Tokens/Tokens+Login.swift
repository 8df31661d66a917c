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
        let running = access[token.key]?.login
        if let running, purpose != nil, case .failure(.needed) = await running.value {
            // That one had nobody to ask.
        } else if let running {
            return try await finish(running, token)
        }
        try await finish(login(to: token, pin: nil, isAsked: false, purpose), token)
    }

    /// Logs in with a PIN that a person typed, or with the stored one where none is given: what ends a lock and a
    /// refusal.
    func unlock(_ token: FoundToken, pin: HeldPIN?) async throws(Problem) {
        let wasLocked = locks.contains(token.key)
        if let pin, let running = access[token.key]?.login, await prompts.supply(.pin(pin), for: token.key) {
            return try await finish(running, token)
        }
        locks.unlock(token.key)
        access[token.key, default: TokenAccess()].refusal = nil
        forgive(token)
        do throws(Problem) {
            try await finish(login(to: token, pin: pin, isAsked: true, LoginPurpose(Asking.current)), token)
        } catch {
            if wasLocked { locks.lock(token.key) }
            throw error
        }
    }

    /// Logs out and keeps what is stored from logging in again, until `unlock`.
    ///
    /// - Parameter tokens: Nil for all, those that come later included.
    func lock(_ tokens: [FoundToken]?) async {
        guard let tokens else {
            locks.lockAll()
            await forgetLogins()
            return
        }
        for token in tokens { locks.lock(token.key) }
        for token in tokens { _ = await prompts.supply(.declined(.cancelled), for: token.key) }
        for token in tokens { await logOut(token.key, slotID: token.snapshot.slotID) }
    }

    // MARK: One login

    private func finish(_ login: Task<Result<Void, PINTrouble>, Never>, _ token: FoundToken) async throws(Problem) {
        switch await login.value {
        case .success: return
        case .failure(let trouble): throw trouble.problem(for: token.snapshot.token)
        }
    }

    /// - Parameter isAsked: A person stands at the token: its keypad may be switched on.
    private func login(
        to token: FoundToken, pin: HeldPIN?, isAsked: Bool, _ purpose: LoginPurpose?
    ) -> Task<Result<Void, PINTrouble>, Never> {
        if let running = access[token.key]?.login { return running }
        // Another module may show the same card: what it refuses there must be known before it is asked here.
        let others = access.filter { $0.key.token == token.snapshot.token }.compactMap(\.value.login)
        let task = Task {  // awaited by all who call this
            for other in others { _ = await other.value }
            let result = await self.attempt(token, pin: pin, isAsked: isAsked, purpose)
            self.access[token.key]?.login = nil
            return result
        }
        access[token.key, default: TokenAccess()].login = task
        return task
    }

    func attempt(
        _ token: FoundToken, pin: HeldPIN?, isAsked: Bool, _ purpose: LoginPurpose?
    ) async -> Result<Void, PINTrouble> {
        await renewAfterSleep()
        await readers.settle()
        if locks.contains(token.key) { return .failure(.locked) }
        let rule = rule(for: token.snapshot)
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
        if owesAnswer(token) { return .failure(.unanswered) }
        let reference = TokenReference(slotID: token.snapshot.slotID, token: token.snapshot.token)
        let request = LoginRequest(
            token: reference, source: source, refused: refusedPINs(of: token),
            mayBeReserved: rule?.reservedPINs == true)
        let stamp = StoredPINStamp(source)
        // A PIN that the token has taken before costs no try, whatever happens to the answer.
        let isKnown = stamp != nil && stamp == access[token.key]?.takenPIN
        if !isKnown { expectAnswer(from: token.key) }
        let call = awaited.nextID()
        if source == .protected { awaited.note(call, token.key, .pinpad) }
        let answer = await host.logIn(request, pin: pin)
        awaited.end(call)
        if !isKnown { noteAnswer(answer, from: token.key) }
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
        let name = token.snapshot.token.displayName
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
                access[key]?.takenPIN = stamp
            }
            return .success(())
        case .success(.notNeeded): return .success(())
        case .success(.refused(let refusal)):
            log.warning("PIN not sent", metadata: ["token": "\(name)", "why": "\(refusal)"])
            if refusal == .locked { access[key]?.refusal = .blocked }
            if case .unreadable(let reason) = refusal, let source = rule?.pinSource {
                return .failure(.notSent(.unreadable(reason: explain(reason, of: source))))
            }
            return .failure(.notSent(refusal))
        case .success(.rejected(_, let code, let failed)):
            log.error("PIN refused by the token", metadata: ["token": "\(name)", "code": "\(code)"])
            let refusal: TokenAccess.Refusal = code == "CKR_PIN_LOCKED" ? .blocked : .rejected(name: code)
            access[key]?.refusal = refusal
            access[key]?.takenPIN = nil
            if let failed { remember(failed, of: key) }
            return .failure(refusal.trouble)
        }
    }

    // MARK: The end of a login

    private func startLifetime(of token: FoundToken, rule: TokenRule?) {
        let seconds = Int64(rule?.pinLifetimeSeconds ?? 28_800)
        access[token.key]?.isForOneSignature = seconds == 0
        guard seconds > 0 else { return }
        let end = clock.boot() + seconds * 1000
        access[token.key]?.typedUntil = end
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
        access[key]?.typedUntil = nil
        access[key]?.isForOneSignature = false
        log.notice("logging out", metadata: ["token": "\(key.token.displayName)"])
        await host(of: key)?.logOut(TokenReference(slotID: slotID, token: key.token))
    }

    func host(of key: TokenKey) -> ModuleHost? { hosts.first { $0.path == key.module } }

    func gone(_ token: FoundToken) -> Problem {
        Problem(
            .tokenGone, "token \(token.snapshot.token.displayName) is gone with its module",
            hint: "run 'tokenward list' to see what is there")
    }
}

extension TokenAccess.Refusal {
    var trouble: PINTrouble {
        switch self {
        case .rejected(let name): .rejected(name: name)
        case .blocked: .blocked
        case .declined(let decline): .declined(decline)
        case .notSent(let refusal): .notSent(refusal)
        }
    }
}
