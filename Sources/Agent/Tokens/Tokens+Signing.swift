package import AgentAPI
import PKCS11URI
package import TokenService

extension Tokens {
    /// Signs on the token. A lost login is made good once, where that needs nobody.
    ///
    /// - Returns: DER `Ecdsa-Sig-Value` for EC keys, PKCS #1 v1.5 for RSA; not verified yet.
    package func sign(
        _ request: SignRequest, on token: FoundToken, for occasion: Occasion, in flow: SigningFlow
    ) async throws(Problem) -> [UInt8] {
        await renewAfterSleep()
        guard host(of: token.key) != nil else { throw gone(token) }
        // A token that needs no login is locked here, and here alone.
        if locks.contains(token.key) { throw PINTrouble.locked.problem(for: token.snapshot.token) }
        let token = await withoutOverdueLogin(token)
        let rule = rule(for: token.located)
        var request = request
        request.source = keySource(rule, occasion)
        request.mayBeReserved = rule?.reservedPINs == true
        // Who needs no login has asked nobody yet whether this PIN may be sent.
        if let trouble = trouble(withPINOf: request, token) { throw trouble.problem(for: token.snapshot.token) }
        let isLast = try takeOneSignature(of: token)
        var result = await sign(request, token, rule, flow)
        if case .failure(.refused(let failure)) = result, failure.kind == .notLoggedIn {
            try await logIn(to: token)
            result = await sign(request, token, rule, flow)
        }
        if isLast { await logOut(token.key, slotID: token.snapshot.slotID) }
        switch result {
        case .success(.signature(let signature)): return signature
        case .success(.notAuthorized(let outcome)): throw await noteRefusal(outcome, of: token, rule, request.source)
        case .failure(let failure):
            if failure == .stopped, let trouble = trouble(withPINOf: request, token) {
                throw trouble.problem(for: token.snapshot.token)
            }
            throw failure.problem(doing: "signing on token \(token.snapshot.token.displayName)")
        }
    }

    /// Why a stored PIN is not sent that the key may want.
    private func trouble(withPINOf request: SignRequest, _ token: FoundToken) -> PINTrouble? {
        guard token.mayAskEachTime(request), StoredPINStamp(request.source) != nil else { return nil }
        if let trouble = ambiguity(of: token, rule(for: token.located)) { return trouble }
        return owesAnswer(token) ? .unanswered : access[token.key]?.refusal?.trouble
    }

    /// Takes the one signature that a typed PIN is good for, before anybody else can.
    ///
    /// - Returns: Whether there is one, after which the token is logged out of.
    private func takeOneSignature(of token: FoundToken) throws(Problem) -> Bool {
        guard access[token.key]?.isForOneSignature == true else { return false }
        guard access[token.key]?.isSpent == false else {
            throw PINTrouble.needed.problem(for: token.snapshot.token)
        }
        access[token.key]?.isSpent = true
        return true
    }

    /// Where the PIN comes from if the key wants it each time. A keypad is switched on for nobody but the person who has
    /// asked; for others the worker looks for a PIN that it holds, and there is none.
    private func keySource(_ rule: TokenRule?, _ occasion: Occasion) -> LoginRequest.Source {
        guard let rule, let source = loginSource(for: rule.pinSource) else { return .typed }
        return source == .protected && occasion != .demand ? .typed : source
    }

    private func sign(
        _ request: SignRequest, _ token: FoundToken, _ rule: TokenRule?, _ flow: SigningFlow
    ) async -> Result<ModuleHost.Signing, ModuleFailure> {
        guard let host = host(of: token.key) else { return .failure(.stopped) }
        let turns = await host.turns(on: token.key.token)
        let position = await turns.enter(flow)
        // It may have waited for long, and what was before it may have spent a try.
        let isWanted =
            !Task.isCancelled && !locks.contains(token.key) && trouble(withPINOf: request, token) == nil
        let result = isWanted ? await sign(request, token, rule, host, position) : .failure(.stopped)
        await turns.leave()
        return result
    }

    private func sign(
        _ request: SignRequest, _ token: FoundToken, _ rule: TokenRule?, _ host: ModuleHost, _ position: Int
    ) async -> Result<ModuleHost.Signing, ModuleFailure> {
        var request = request
        // Another module may have reported them: this one learns them where it is about to get a PIN, and nowhere else.
        request.refused = token.mayAskEachTime(request) ? refusedPINs(of: token) : []
        let stamp = token.mayAskEachTime(request) ? StoredPINStamp(request.source) : nil
        // The login has just shown that the stored PIN is right, unless its file has changed since.
        let isKnown = stamp == nil || stamp == access[token.key]?.takenPIN
        if !isKnown { expectAnswer(from: token.key) }
        let call = awaited.nextID()
        if rule?.touch == true { awaited.note(call, token.key, nil) }
        watch(call, of: token, for: request.source == .protected ? .pinpad : .touch)
        // What a person types on a keypad is new each time.
        let isOldPIN = isKnown && request.source != .protected
        let result = await host.sign(
            request, position: position, mayTouch: rule?.touch == true, isPINKnown: isOldPIN)
        endWatch(of: call)
        awaited.end(call)
        if stamp != nil {
            if isKnown {
                noteRepeat(result.login, from: token.key, isSignature: true)
            } else {
                noteAnswer(result.login, from: token.key)
            }
        }
        return result
    }

    /// The PIN that a key wants each time was not sent, or refused: the same as for any login.
    private func noteRefusal(
        _ outcome: LoginOutcome, of token: FoundToken, _ rule: TokenRule?, _ source: LoginRequest.Source
    ) async -> Problem {
        let isHeld = source == .typed
        let result = note(.success(outcome), token: token, rule: rule, isTyped: isHeld, stamp: nil)
        let isKeypadWanted = outcome == .refused(.notHeld) && rule?.pinSource == .protected
        // What is logged in with a PIN that the key does not get must be unlocked anew.
        if !isKeypadWanted { await logOut(token.key, slotID: token.snapshot.slotID) }
        switch result {
        case .failure where isKeypadWanted: return PINTrouble.keypad.problem(for: token.snapshot.token)
        case .failure(let trouble): return trouble.problem(for: token.snapshot.token)
        case .success: return PINTrouble.needed.problem(for: token.snapshot.token)
        }
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
