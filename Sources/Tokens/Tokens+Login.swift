package import AgentAPI
import ModuleFiles
import PKCS11URI
package import Prompts
package import TokenService

extension Tokens {
    /// Sees to it that the token is logged in, with the stored PIN where there is one. Callers that need the same login
    /// share it; a PIN that the token refused is not tried again. A locked token is not used, even if it asks for no PIN.
    ///
    /// - Parameter purpose: What a person is asked for the PIN with; nil: nobody is asked.
    package func logIn(to token: FoundToken, for purpose: LoginPurpose? = nil) async throws(Problem) {
        guard !ledger.isLocked(token.key) else { throw LoginFailure.locked.problem(for: token.snapshot.token) }
        let token = await withoutOverdueLogin(token)
        guard token.snapshot.flags.contains(.loginRequired) else { return }
        await waitForGestures(on: token)
        if let running = logins[token.key] {
            let isForOthers =
                switch await running.task.value {
                case .failure(.needed): purpose != nil  // it had nobody to ask
                case .failure(.ambiguous): token.meantBy != nil  // it named no module
                default: false
                }
            guard isForOthers else { return try await finish(running.task, token) }
        }
        let login =
            logins[token.key]?.task
            ?? login(to: token) { permit in await self.attempt(token, Trial(permit: permit, purpose: purpose)) }
        try await finish(login, token)
    }

    /// Logs in with a PIN that a person typed, or with the stored one where none is given: this ends a lock and a refusal.
    ///
    /// - Parameters:
    ///   - isFromLogin: Nobody typed the PIN for this token, so it ends no refusal, and is not sent after one.
    ///   - moment: When it was asked for, see `Locks.moment`: a lock that came since stands.
    package func unlock(
        _ token: FoundToken, pin: HeldPIN?, isFromLogin: Bool, asOf moment: Locks.Moment
    ) async throws(Problem) {
        let key = token.key
        if isFromLogin, ledger.refusesHandedOver(key) {
            throw LoginFailure.notFromLogin.problem(for: token.snapshot.token)
        }
        if pin != nil { ledger.addWaitingPIN(key) }
        defer { if pin != nil { ledger.removeWaitingPIN(key) } }
        if let pin, let running = logins[key], await prompts.supply(.pin(pin), for: key) {
            return try await finish(running.task, token)
        }
        let purpose = LoginPurpose(Asking.current)
        let origin: TokenLedger.PINOrigin = isFromLogin ? .handedOver : pin == nil ? .stored(nil) : .typed
        let request = ledger.unlockRequest(key, origin, asOf: moment)
        let login = login(to: token) { permit in
            let trial = Trial(permit: permit, purpose: purpose, pin: pin, mayUseKeypad: true)
            return await self.unlockNow(token, request, trial)
        }
        try await finish(login, token)
    }

    /// Called when no login is under way: one that is could still end without an answer, which no person has seen.
    private func unlockNow(
        _ token: FoundToken, _ request: TokenLedger.UnlockRequest, _ trial: Trial
    ) async -> Result<Void, LoginFailure> {
        let unlocking: TokenLedger.Unlocking
        switch ledger.beginUnlock(request) {
        case .failure(let failure): return .failure(failure)
        case .success(let begun): unlocking = begun
        }
        keepTries()
        let result = await attempt(token, trial)
        ledger.endUnlock(unlocking, hasWorked: (try? result.get()) != nil)  // the failure is the caller's
        try? keepLocks()  // after a restart the token is locked again, and nothing worse
        return result
    }

    // MARK: One login

    private func finish(_ login: Task<Result<Void, LoginFailure>, Never>, _ token: FoundToken) async throws(Problem) {
        if case .failure(let failure) = await login.value { throw failure.problem(for: token.snapshot.token) }
    }

    /// The token's next login, after those that are under way.
    private func login(
        to token: FoundToken, _ body: @escaping @Sendable (CallPermit) async -> Result<Void, LoginFailure>
    ) -> Task<Result<Void, LoginFailure>, Never> {
        // Another module may show the same card: what it refuses there must be known before it is asked here.
        let others = logins.filter { $0.key.token == token.snapshot.token }.map(\.value.task)
        let id = awaited.nextID()
        let permit = permits.issue(id, for: token.key)
        let task = Task {  // awaited by all who call this
            for other in others { _ = await other.value }
            let result = await body(permit)
            self.permits.end(id)
            if self.logins[token.key]?.id == id { self.logins[token.key] = nil }
            return result
        }
        logins[token.key] = RunningLogin(id: id, task: task)
        return task
    }

    /// What a login is tried with.
    private struct Trial: Sendable {
        /// Issued when the login was asked for: a lock that has come since stands, also where it has ended.
        let permit: CallPermit
        /// What a person is asked for the PIN with; nil: nobody is asked.
        let purpose: LoginPurpose?
        var pin: HeldPIN?
        /// A person stands at the token: its keypad may be switched on.
        var mayUseKeypad = false
    }

    private func attempt(_ token: FoundToken, _ trial: Trial) async -> Result<Void, LoginFailure> {
        await renewAfterSleep()
        await readers.settle()
        let (key, pin, purpose) = (token.key, trial.pin, trial.purpose)
        if trial.permit.isRevoked || ledger.isLocked(key) { return .failure(.locked) }
        let rule = rule(for: token.located)
        let isPrompted = (rule?.pinSource ?? .prompt) == .prompt
        if pin == nil,
            let refusal = ledger.standingRefusal(key, isExplicit: isPrompted && purpose?.asking.isExplicit == true)
        {
            return .failure(refusal)
        }
        guard let host = host(of: key) else { return .failure(.needed) }
        let source: LoginRequest.Source
        if pin != nil {
            source = .typed
        } else if let stored = loginSource(of: rule), trial.mayUseKeypad || stored != .protected {
            source = stored
        } else {
            // Only a person has the PIN, and may have given it already: the worker knows.
            if token.snapshot.isLoggedIn { return .success(()) }
            return isPrompted ? await logInByPrompt(token, trial) : .failure(.keypad)
        }
        if let failure = ambiguity(of: token, rule) { return .failure(failure) }
        return await send(trial, from: source, to: token, rule, host)
    }

    /// Sends the PIN if the ledger lets it pass, and notes the answer.
    private func send(
        _ trial: Trial, from source: LoginRequest.Source, to token: FoundToken, _ rule: TokenRule?, _ host: ModuleHost
    ) async -> Result<Void, LoginFailure> {
        let (key, pin, permit) = (token.key, trial.pin, trial.permit)
        let sending: TokenLedger.Sending
        deciding: while true {
            let origin: TokenLedger.PINOrigin = if let pin { pin.origin } else { await origin(of: source) }
            if permit.isRevoked { return .failure(.locked) }
            switch ledger.decide(origin, to: key, at: clock.boot()) {
            case .refuse(let failure): return .failure(failure)
            case .send(let decided):
                sending = decided
                break deciding
            case .wait(let milliseconds):
                // In short steps, so that a lock finds no PIN waiting. An error means that the agent ends.
                guard (try? await clock.sleep(min(milliseconds, 200))) != nil else {
                    return .failure(.module(.stopped))
                }
            }
        }
        keepTries()
        let request = LoginRequest(
            token: TokenReference(slotID: token.snapshot.slotID, token: token.snapshot.token), source: source,
            refused: source == .protected ? [] : ledger.refusedPINs(of: key),
            mayBeReserved: rule?.reservedPINs == true, isFromLogin: pin?.isFromLogin == true)
        let call = awaited.nextID()
        if source == .protected { awaited.note(call, key, .pinpad) } else { awaited.noteLogin(call, key) }
        let answer = await host.logIn(request, pin: pin, permit: permit).map { explained($0, rule) }
        tell(of: answer, token, isTyped: pin != nil)
        let result = ledger.note(
            answer, to: sending, lifetime: rule?.pinLifetimeSeconds ?? TokenRule.usualPINLifetime,
            hasStoredPIN: loginSource(of: rule) != nil, at: clock.boot())
        keepTries()
        awaited.end(call)
        if answer == .failure(.lost(.revoked)) { return .failure(.locked) }
        if answer == .success(.loggedIn), let end = ledger.loginEnds(key) { endLogin(of: token, at: end) }
        guard ledger.isLocked(key) else { return result }
        // Locked meanwhile, perhaps before there was a worker to log out.
        await logOut(key, slotID: token.snapshot.slotID)
        return .failure(.locked)
    }

    /// Logs in with a PIN that a person is asked for: one prompt and at most one C_Login, whatever becomes of them.
    private func logInByPrompt(_ token: FoundToken, _ trial: Trial) async -> Result<Void, LoginFailure> {
        guard let purpose = trial.purpose, await prompts.settings.executable != nil else { return .failure(.needed) }
        // What the caller saw may be a minute old: somebody may have typed the PIN since, or spent a try.
        guard var found = await survey().tokens.first(where: { $0.key == token.key }) else { return .failure(.needed) }
        found.meantBy = token.meantBy
        let token = found
        if trial.permit.isRevoked || ledger.isLocked(token.key) { return .failure(.locked) }
        if !token.needsLogin { return .success(()) }
        // Nobody is asked for a PIN that would not be sent.
        if let failure = ambiguity(of: token, token.rule) { return .failure(failure) }
        if let refusal = LoginRefusal(flags: token.snapshot.flags, isStored: false) {
            return .failure(.notSent(refusal))
        }
        let failure = ledger.decideToAsk(for: token.key, isExplicit: purpose.asking.isExplicit)
        keepTries()
        if let failure { return .failure(failure) }
        let answer = await prompts.ask(
            for: PromptedToken(token.key, flags: token.snapshot.flags, module: token.shownModule), purpose,
            after: ledger.lastPrompt(token.key))
        if trial.permit.isRevoked || ledger.isLocked(token.key) { return .failure(.locked) }
        let name = token.snapshot.token.plainName
        switch answer {
        case .pin(let pin):
            let typed = Trial(permit: trial.permit, purpose: nil, pin: pin, mayUseKeypad: true)
            let result = await attempt(token, typed)
            ledger.notePrompt(result, for: token.key)
            return result
        case .declined(let decline):
            log.notice("no PIN was given", metadata: ["token": "\(name)", "why": "\(decline)"])
            ledger.noteDeclined(decline, for: token.key)
            return .failure(.declined(decline))
        case .failed(let reason):
            log.warning("no prompt", metadata: ["token": "\(name)", "why": "\(reason)"])
            return .failure(.unaskable(reason: reason))
        }
    }

    private func origin(of source: LoginRequest.Source) async -> TokenLedger.PINOrigin {
        switch source {
        case .typed: .typed
        case .file, .credential: .stored(await setting.workers.stamp(source))
        case .protected: .keypad
        }
    }

    /// The same, with the place where a stored PIN should be.
    func explained(_ outcome: LoginOutcome, _ rule: TokenRule?) -> LoginOutcome {
        guard case .refused(.unreadable(let reason)) = outcome, let source = rule?.pinSource else { return outcome }
        return .refused(.unreadable(reason: explain(reason, of: source)))
    }

    /// Tells the log what has become of a login.
    func tell(of answer: Result<LoginOutcome, ModuleFailure>, _ token: FoundToken, isTyped: Bool) {
        let name = token.snapshot.token.plainName
        switch answer {
        case .failure(let failure): log.warning("login failed", metadata: ["token": "\(name)", "why": "\(failure)"])
        case .success(.loggedIn):
            log.notice("logged in", metadata: ["token": "\(name)", "pin": isTyped ? "typed" : "stored"])
        case .success(.notNeeded): break
        case .success(.refused(let refusal)):
            log.warning("PIN not sent", metadata: ["token": "\(name)", "why": "\(refusal)"])
        case .success(.rejected(_, let code, _, let oddities)):
            log.error("PIN refused by the token", metadata: ["token": "\(name)", "code": "\(code)"])
            guard let oddities = oddities.sentence else { return }
            log.warning(
                "the PIN may hold what does not belong to it", metadata: ["token": "\(name)", "pin-has": "\(oddities)"])
        }
    }

    // MARK: The end of a login

    /// Logs out when the time of a typed PIN is over.
    private func endLogin(of token: FoundToken, at end: Int64) {
        Task {  // ends by itself; nobody waits for it
            // In short steps, because timers may stand still while the machine sleeps, and this time does not. A cancelled
            // sleep means that the agent ends, which logs out anyway.
            while self.ledger.loginEnds(token.key) == end, self.clock.boot() < end,
                (try? await self.clock.sleep(min(30_000, end - self.clock.boot()))) != nil
            {}
            if self.ledger.loginEnds(token.key) == end {
                await self.endOverdueLogin(of: token)
            }
        }
    }

    /// A login whose time is over is ended before it is used, whatever the timers have done while the machine slept.
    func withoutOverdueLogin(_ token: FoundToken) async -> FoundToken {
        guard ledger.isOver(token.key, at: clock.boot()) else { return token }
        await endOverdueLogin(of: token)
        var token = token
        token.snapshot.isLoggedIn = false
        return token
    }

    /// Logs out once for all who find that the time of a login is over: a second logout could end the login after it.
    func endOverdueLogin(of token: FoundToken) async {
        let key = token.key
        let ending =
            endings[key]
            ?? Task {  // awaited right here, and by whoever comes meanwhile
                await self.logOut(key, slotID: token.snapshot.slotID)
                self.endings[key] = nil
            }
        endings[key] = ending
        await ending.value
    }

    func logOut(_ key: TokenKey, slotID: UInt64) async {
        let end = ledger.loginEnds(key)
        log.notice("logging out", metadata: ["token": "\(key.token.plainName)"])
        await host(of: key)?.logOut(TokenReference(slotID: slotID, token: key.token))
        ledger.noteLogout(key, ofLoginUntil: end)  // until then the login is over, and not yet ended
    }

    /// Where a stored PIN is, or that a keypad takes it; nil where a person is asked.
    func loginSource(of rule: TokenRule?) -> LoginRequest.Source? { rule.flatMap { loginSource(for: $0.pinSource) } }

    /// Writes what may have cost a token a try, where it has changed: before a PIN is sent, and after its answer.
    func keepTries() {
        guard let tries = ledger.takeUnsavedTries(), !refusedPINs.save(tries) else { return }
        ledger.noteUnsavedTries()  // the next change of any token writes them
        log.warning(
            "refused PINs are not written, so a restart forgets them", metadata: ["file": "\(refusedPINs.file.path)"])
    }
}

/// A login under way, for whoever else needs it.
struct RunningLogin: Sendable {
    let id: UInt64
    let task: Task<Result<Void, LoginFailure>, Never>
}

extension HeldPIN {
    fileprivate var origin: TokenLedger.PINOrigin { isFromLogin ? .handedOver : .typed }
}
