package import AgentAPI
import ModuleFiles
import PKCS11URI
package import Prompts
package import TokenService

extension Tokens {
    /// Sees to it that the token is logged in, with the stored PIN where there is one. Callers that need the same login
    /// share it; a PIN that the token refused is not tried again. A locked token is not used, even if it asks for no PIN.
    ///
    /// - Parameter purpose: The reason that a person is told when asked for the PIN; nil: no person is asked.
    package func logIn(to token: FoundToken, for purpose: LoginPurpose? = nil) async throws(Problem) {
        guard !ledger.isLocked(token.key) else { throw token.problem(.locked) }
        let token = await withoutOverdueLogin(token)
        guard token.snapshot.flags.contains(.loginRequired) else { return }
        while calls.awaitGesture(on: token.key) {  // its worker would answer nothing before
            await withCheckedContinuation { calls.wait($0) }
        }
        if let running = workerLogin(to: token.key) {
            let isForOthers =
                switch await running.task.value {
                case .failure(.needed): purpose != nil  // it had no person to ask
                case .failure(.ambiguous): token.meantBy != nil  // it named no module
                default: false
                }
            guard isForOthers else { return try await finish(running.task, token) }
        }
        let login =
            workerLogin(to: token.key)?.task
            ?? login(to: token) { call in await self.attempt(token, Trial(call: call, purpose: purpose)) }
        try await finish(login, token)
    }

    /// Logs in with a PIN that a person typed, or with the stored one where none is given: this ends a lock and a refusal.
    ///
    /// - Parameters:
    ///   - isFromLogin: The PIN was not typed for this token, so it ends no refusal, and is not sent after one.
    ///   - moment: When it was asked for, a lock that came since stands.
    package func unlock(
        _ token: FoundToken, pin: HeldPIN?, isFromLogin: Bool, asOf moment: Locks.Moment
    ) async throws(Problem) {
        let key = token.key
        if isFromLogin, ledger.refusesHandedOver(key) { throw token.problem(.notFromLogin) }
        if pin != nil { ledger.addWaitingPIN(key) }
        defer { if pin != nil { ledger.removeWaitingPIN(key) } }
        if let pin, let running = workerLogin(to: key), await prompts.supply(.pin(pin), for: key) {
            return try await finish(running.task, token)
        }
        let purpose = LoginPurpose(Asking.current)
        let origin: PINTries.Origin = isFromLogin ? .handedOver : pin == nil ? .stored(nil) : .typed
        let login = login(to: token) { call in
            let trial = Trial(call: call, purpose: purpose, pin: pin, mayUseKeypad: true)
            return await self.unlock(token, trial, origin, asOf: moment)
        }
        try await finish(login, token)
    }

    /// Called when no login is under way: one that was could still end without an answer, which no person has seen.
    private func unlock(
        _ token: FoundToken, _ trial: Trial, _ origin: PINTries.Origin, asOf moment: Locks.Moment
    ) async -> Result<Void, LoginFailure> {
        let key = token.key
        if let failure = ledger.beginUnlock(key, origin, asOf: moment) { return .failure(failure) }
        let unlocking = changeLocks { $0.beginUnlock(key, asOf: moment) }
        keepTries()
        let result = await attempt(token, trial)
        changeLocks { $0.endUnlock(unlocking, hasWorked: (try? result.get()) != nil) }  // the failure is the caller's
        return result
    }

    /// Logs in in a keeper, whose login is its own: no lock and no refusal ends with it.
    ///
    /// - Parameter pin: One that came with the request; nil: the stored one, or a person is asked.
    func logIn(_ keeper: KeeperHost, to token: FoundToken, pin: HeldPIN?) async throws(Problem) {
        guard token.snapshot.flags.contains(.loginRequired) else { return }
        while calls.awaitGesture(on: token.key) {  // some modules let one process wait for another's
            await withCheckedContinuation { calls.wait($0) }
        }
        let purpose = LoginPurpose(Asking.current)
        let login = login(to: token, isOfKeeper: true) { call in
            let trial = Trial(
                call: call, purpose: purpose, pin: pin, mayUseKeypad: Gestures.areAllowed, keeper: keeper)
            return await self.attempt(token, trial)
        }
        try await finish(login, token)
    }

    // MARK: One login

    /// The login of the token's worker that is under way. A keeper's logs in no other process.
    private func workerLogin(to key: TokenKey) -> RunningLogin? { logins[key].flatMap { $0.isOfKeeper ? nil : $0 } }

    private func finish(_ login: Task<Result<Void, LoginFailure>, Never>, _ token: FoundToken) async throws(Problem) {
        if case .failure(let failure) = await login.value { throw token.problem(failure) }
    }

    /// The token's next login, after those that are under way.
    private func login(
        to token: FoundToken, isOfKeeper: Bool = false,
        _ body: @escaping @Sendable (OpenCalls.Call) async -> Result<Void, LoginFailure>
    ) -> Task<Result<Void, LoginFailure>, Never> {
        let key = token.key
        // Another module may show the same card: its refusal there must be known before it is asked here.
        let others = logins.filter { $0.key.token == key.token }.map(\.value.task)
        let call = calls.begin(key)
        let task = Task {  // awaited by all who call this
            for other in others { _ = await other.value }
            let result = await body(call)
            calls.end(call)
            if logins[key]?.call.id == call.id { logins[key] = nil }
            return result
        }
        logins[key] = RunningLogin(call: call, task: task, isOfKeeper: isOfKeeper)
        return task
    }

    /// The means of one login.
    private struct Trial: Sendable {
        /// Begun when the login was asked for: a lock that has come since stands, also where it has ended.
        let call: OpenCalls.Call
        /// The reason that a person is told when asked for the PIN; nil: no person is asked.
        let purpose: LoginPurpose?
        var pin: HeldPIN?
        /// A person stands at the token: its keypad may be switched on.
        var mayUseKeypad = false
        /// The process that is to be logged in; nil: the token's worker.
        var keeper: KeeperHost?
    }

    private func isLocked(_ trial: Trial, _ key: TokenKey) -> Bool {
        trial.call.permit.isRevoked || ledger.isLocked(key)
    }

    private func attempt(_ token: FoundToken, _ trial: Trial) async -> Result<Void, LoginFailure> {
        await renewAfterSleep()
        await readers.settle()
        let (key, pin) = (token.key, trial.pin)
        if isLocked(trial, key) { return .failure(.locked) }
        let rule = rule(for: token.located)
        let isPrompted = (rule?.pinSource ?? .prompt) == .prompt
        let isExplicit = isPrompted && trial.purpose?.asking.isExplicit == true
        if pin == nil, let refusal = ledger.standingRefusal(key, isExplicit: isExplicit) { return .failure(refusal) }
        guard let host = host(of: key) else { return .failure(.needed) }
        let source: LoginRequest.Source
        if pin != nil {
            source = .typed
        } else if let stored = loginSource(of: rule), trial.mayUseKeypad || stored != .protected {
            source = stored
        } else {
            // Only a person has the PIN, and may have given it already: the worker knows.
            if trial.keeper == nil, token.snapshot.isLoggedIn { return .success(()) }
            return isPrompted ? await logInByPrompt(token, trial) : .failure(.keypad)
        }
        if let failure = ambiguity(of: token, rule) { return .failure(failure) }
        return await send(trial, from: source, to: token, rule, host)
    }

    /// Sends the PIN if the ledger lets it pass, and notes the answer.
    private func send(
        _ trial: Trial, from source: LoginRequest.Source, to token: FoundToken, _ rule: TokenRule?, _ host: ModuleHost
    ) async -> Result<Void, LoginFailure> {
        let (key, pin, permit) = (token.key, trial.pin, trial.call.permit)
        let sending: PINTries.Sending
        deciding: while true {
            let origin: PINTries.Origin =
                switch source {
                case .typed: pin?.isFromLogin == true ? .handedOver : .typed
                case .file, .credential: .stored(await setting.workers.stamp(source))
                case .protected: .keypad
                }
            if permit.isRevoked { return .failure(.locked) }
            // A PIN for one signature must not serve one that the module has been busy with since before.
            let mustWait = !source.isStored && rule?.pinLifetimeSeconds == 0 && calls.haveSignature(on: key)
            switch mustWait ? .wait(milliseconds: 100) : ledger.decide(origin, to: key, at: clock.boot()) {
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
            refused: source == .protected ? [] : ledger.tries.refused(by: key),
            mayBeReserved: rule?.reservedPINs == true, isFromLogin: pin?.isFromLogin == true)
        calls.note(trial.call, source == .protected ? .gesture(.pin) : .login)
        let answer =
            if let keeper = trial.keeper {
                await keeper.logIn(request, pin: pin, permit: permit).map { explained($0, rule) }
            } else {
                await host.logIn(request, pin: pin, permit: permit).map { explained($0, rule) }
            }
        tell(of: answer, token, isTyped: pin != nil)
        let result = ledger.note(
            answer, to: sending,
            lifetime: trial.keeper == nil ? rule?.pinLifetimeSeconds ?? TokenRule.usualPINLifetime : nil,
            hasStoredPIN: loginSource(of: rule) != nil, at: clock.boot())
        keepTries()
        calls.note(trial.call, .quiet)
        if answer == .failure(.lost(.revoked)) { return .failure(.locked) }
        if trial.keeper == nil, answer == .success(.loggedIn), let end = ledger.loginEnds(key) {
            endLogin(of: token, at: end)
        }
        guard ledger.isLocked(key) else { return result }
        // Locked meanwhile, perhaps before there was a worker to log out.
        await logOut(token)
        return .failure(.locked)
    }

    /// Logs in with a PIN that a person is asked for: one prompt and at most one C_Login, whatever their outcomes.
    private func logInByPrompt(_ token: FoundToken, _ trial: Trial) async -> Result<Void, LoginFailure> {
        guard let purpose = trial.purpose, await prompts.settings.executable != nil else { return .failure(.needed) }
        // The caller's survey may be a minute old: a person may have typed the PIN since, or another login spent a try.
        guard var found = await survey(ofModuleOf: token).tokens.first(where: { $0.key == token.key }) else {
            return .failure(.needed)
        }
        found.meantBy = token.meantBy
        let token = found
        if isLocked(trial, token.key) { return .failure(.locked) }
        if trial.keeper == nil, !token.needsLogin { return .success(()) }
        // No person is asked for a PIN that would not be sent.
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
        if isLocked(trial, token.key) { return .failure(.locked) }
        let name = token.snapshot.token.plainName
        switch answer {
        case .pin(let pin):
            let result = await attempt(
                token, Trial(call: trial.call, purpose: nil, pin: pin, mayUseKeypad: true, keeper: trial.keeper))
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

    /// Where a stored PIN is, for the worker that reads it, or that a keypad takes it; nil where a person is asked.
    func loginSource(of rule: TokenRule?) -> LoginRequest.Source? {
        switch rule?.pinSource {
        case .prompt?, nil: nil
        case .file(let path)?: .file(path: path)
        case .credential(let name)?: .credential(path: "\(setting.credentialsFolder ?? "/nonexistent")/\(name)")
        case .protected?: .protected
        }
    }

    /// The same, with the place where a stored PIN should be.
    func explained(_ outcome: LoginOutcome, _ rule: TokenRule?) -> LoginOutcome {
        guard case .refused(.unreadable(let reason)) = outcome else { return outcome }
        switch rule?.pinSource {
        case .file(let path)?: return .refused(.unreadable(reason: "\(path): \(reason)"))
        case .credential(let name)?:
            let reason =
                setting.credentialsFolder == nil
                ? "systemd has passed none; add LoadCredential=\(name): to the agent's unit" : reason
            return .refused(.unreadable(reason: "credential \(name): \(reason)"))
        case .prompt?, .protected?, nil: return outcome
        }
    }

    /// Tells the log how a login ended.
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
        Task {  // ends by itself
            // In short steps, because timers may stand still while the machine sleeps, and this time does not. A cancelled
            // sleep means that the agent ends, which logs out anyway.
            while ledger.loginEnds(token.key) == end, clock.boot() < end,
                (try? await clock.sleep(min(30_000, end - clock.boot()))) != nil
            {}
            if ledger.loginEnds(token.key) == end { await endOverdueLogin(of: token) }
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
            ?? Task {  // awaited right here, and by callers that come meanwhile
                await logOut(token)
                endings[key] = nil
            }
        endings[key] = ending
        await ending.value
    }

    func logOut(_ token: FoundToken) async { await logOut(token.key, slotID: token.snapshot.slotID) }

    func logOut(_ key: TokenKey, slotID: UInt64) async {
        let end = ledger.loginEnds(key)
        log.notice("logging out", metadata: ["token": "\(key.token.plainName)"])
        await host(of: key)?.logOut(TokenReference(slotID: slotID, token: key.token))
        ledger.noteLogout(key, ofLoginUntil: end)  // until then the login is over, and not yet ended
    }
}
