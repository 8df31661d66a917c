package import AgentAPI
import PKCS11URI
package import TokenService

extension Tokens {
    /// Signs on the token. A lost login is made good once, where that needs nobody.
    ///
    /// - Parameter isAskedByName: A person stands at the token: its keypad may be switched on.
    /// - Returns: DER `Ecdsa-Sig-Value` for EC keys, PKCS #1 v1.5 for RSA; not verified yet.
    package func sign(
        _ request: SignRequest, on token: FoundToken, isAskedByName: Bool, in flow: SigningFlow
    ) async throws(Problem) -> [UInt8] {
        await renewAfterSleep()
        guard host(of: token.key) != nil else { throw gone(token) }
        // A token that needs no login is locked here, and here alone.
        if ledger.isLocked(token.key) { throw LoginFailure.locked.problem(for: token.snapshot.token) }
        let token = await withoutOverdueLogin(token)
        let rule = rule(for: token.located)
        var request = request
        request.source = keySource(rule, isAskedByName)
        request.mayBeReserved = rule?.reservedPINs == true
        // A token that needs no login has not been asked yet whether this PIN may be sent to it.
        if let failure = failure(withPINOf: request, token) { throw failure.problem(for: token.snapshot.token) }
        let isLast: Bool
        switch ledger.takeSignature(token.key) {
        case .success(let last): isLast = last
        case .failure(let failure): throw failure.problem(for: token.snapshot.token)
        }
        var result = await sign(request, token, rule, flow)
        if case .failure(.refused(let failure)) = result, failure.retry == .login {
            do throws(Problem) {
                try await logIn(to: token)
            } catch {
                if isLast { await logOut(token.key, slotID: token.snapshot.slotID) }
                throw error
            }
            result = await sign(request, token, rule, flow)
        }
        if isLast { await logOut(token.key, slotID: token.snapshot.slotID) }
        switch result {
        case .success(.signature(let signature)): return signature
        case .success(.notAuthorized(let outcome)): throw await noteRefusal(outcome, of: token, rule, request.source)
        case .failure(let failure):
            if failure == .lost(.revoked) { throw LoginFailure.locked.problem(for: token.snapshot.token) }
            if failure == .stopped, let failure = self.failure(withPINOf: request, token) {
                throw failure.problem(for: token.snapshot.token)
            }
            throw failure.problem(doing: "signing on token \(token.snapshot.token.displayName, .token)")
        }
    }

    private func gone(_ token: FoundToken) -> Problem {
        Problem(
            .tokenGone, "token \(token.snapshot.token.displayName, .token) is gone with its module",
            hint: "run 'tokenward list' to see what is there")
    }

    /// Why a stored PIN is not sent that the key may want.
    private func failure(withPINOf request: SignRequest, _ token: FoundToken) -> LoginFailure? {
        guard token.mayAskEachTime(request), request.source.isStored else { return nil }
        return ambiguity(of: token, rule(for: token.located)) ?? ledger.refusalToSign(token.key)
    }

    /// Where the PIN comes from if the key wants it each time. A keypad is switched on for nobody but the person who has
    /// asked; for others the worker looks for a PIN that it holds, and there is none.
    private func keySource(_ rule: TokenRule?, _ isAskedByName: Bool) -> LoginRequest.Source {
        guard let source = loginSource(of: rule) else { return .typed }
        return source == .protected && !isAskedByName ? .typed : source
    }

    private func sign(
        _ request: SignRequest, _ token: FoundToken, _ rule: TokenRule?, _ flow: SigningFlow
    ) async -> Result<ModuleHost.Signing, ModuleFailure> {
        guard let host = host(of: token.key) else { return .failure(.stopped) }
        let turns = await host.turns(on: token.key.token)
        let position = await turns.enter(flow)
        let isStored = token.mayAskEachTime(request) && request.source.isStored
        let stamp = isStored ? await setting.workers.stamp(request.source) : nil
        while isStored, ledger.mustWait(with: stamp, on: token.key) {
            await withCheckedContinuation { awaited.wait($0) }
        }
        // It may have waited for long, and a call before it may have spent a try.
        let isWanted =
            !Task.isCancelled && !ledger.isLocked(token.key) && failure(withPINOf: request, token) == nil
        var result: Result<ModuleHost.Signing, ModuleFailure> = .failure(.stopped)
        if ledger.isOver(token.key, at: clock.boot()) {
            await endOverdueLogin(of: token)
            result = .failure(.refused(WorkerFailure(.notLoggedIn, text: "the time of its PIN is over")))
        } else if isWanted {
            result = await sign(request, token, rule, host, (position, isStored ? .some(stamp) : nil))
        }
        await turns.leave()
        return result
    }

    private func sign(
        _ request: SignRequest, _ token: FoundToken, _ rule: TokenRule?, _ host: ModuleHost,
        _ turn: (position: Int, stored: StoredPINStamp??)
    ) async -> Result<ModuleHost.Signing, ModuleFailure> {
        var request = request
        // Another module may have reported them: this one learns them where it is about to get a PIN, and nowhere else.
        request.refused = token.mayAskEachTime(request) ? ledger.refusedPINs(of: token.key) : []
        let sending = turn.stored.map { ledger.expectSignature(with: $0, on: token.key) }
        keepTries()
        let call = awaited.nextID()
        if rule?.touch == true { awaited.note(call, token.key, nil) }
        watch(call, of: token, for: request.source == .protected ? .pinpad : .touch)
        // What a person types on a keypad is new each time.
        let isOldPIN = sending?.isKnown != false && request.source != .protected
        let result = await host.sign(
            request, position: turn.position, mayTouch: rule?.touch == true, isPINKnown: isOldPIN,
            permit: permits.issue(call, for: token.key))
        permits.end(call)
        endWatch(of: call)
        ledger.noteSignature(result.login, sending, on: token.key, at: clock.boot())
        keepTries()
        awaited.end(call)
        return result
    }

    /// The PIN that a key wants each time was not sent, or refused: the same as for any login.
    private func noteRefusal(
        _ outcome: LoginOutcome, of token: FoundToken, _ rule: TokenRule?, _ source: LoginRequest.Source
    ) async -> Problem {
        let outcome = explained(outcome, rule)
        tell(of: .success(outcome), token, isTyped: source == .typed)
        let failure = TokenLedger.failure(of: outcome) ?? .needed
        if outcome == .refused(.notHeld), rule?.pinSource == .protected {
            return LoginFailure.keypad.problem(for: token.snapshot.token)
        }
        // What is logged in with a PIN that the key does not get must be unlocked anew.
        await logOut(token.key, slotID: token.snapshot.slotID)
        return failure.problem(for: token.snapshot.token)
    }
}

extension Result<ModuleHost.Signing, ModuleFailure> {
    /// What it says of the PIN that the key may have asked for.
    fileprivate var login: Result<LoginOutcome, ModuleFailure> {
        map { signing in if case .notAuthorized(let outcome) = signing { outcome } else { .notNeeded } }
    }
}

extension FoundToken {
    /// Whether the key wants the PIN at each signature, or has not been seen: some tokens show it after a login alone.
    fileprivate func mayAskEachTime(_ request: SignRequest) -> Bool {
        let keys = snapshot.keys.filter {
            $0.keyClass == .privateKey && (request.keyID.isEmpty || $0.id == request.keyID)
                && request.keyLabel ?? $0.label == $0.label
        }
        return keys.isEmpty || keys.contains(where: \.alwaysAuthenticates)
    }
}
