package import AgentAPI
import PKCS11URI
package import TokenService

/// The people on whose behalf a token signs: those that a profile's `allow` names. Profiles for the same people share one
/// flow, so that people with a hundred of them take no more turns on a shared token than people with one.
package struct SigningFlow: Hashable, Sendable {
    private let users: Set<UInt32>
    private let groups: Set<UInt32>

    package init(users: Set<UInt32>, groups: Set<UInt32>) {
        self.users = users
        self.groups = groups
    }
}

extension Tokens {
    /// Signs on the token. A lost login is made good once, where that needs no person.
    ///
    /// - Parameter isAskedByName: A person stands at the token: its keypad may be switched on.
    /// - Returns: DER `Ecdsa-Sig-Value` for EC keys, PKCS #1 v1.5 for RSA; not verified yet.
    package func sign(
        _ request: SignRequest, on token: FoundToken, isAskedByName: Bool, in flow: SigningFlow
    ) async throws(Problem) -> [UInt8] {
        let made = try await make(.signature(request), on: token, isAskedByName: isAskedByName, in: flow)
        guard case .signature(let signature) = made else { throw ModuleFailure.confused.problem(doing: "signing") }
        return signature
    }

    /// Has the token make a date key, as `sign` a signature. It is good for a day: let go of it after one use.
    package func dateKey(
        _ request: DateKeyRequest, on token: FoundToken, isAskedByName: Bool, in flow: SigningFlow
    ) async throws(Problem) -> HeldSecret {
        let made = try await make(.dateKey(request), on: token, isAskedByName: isAskedByName, in: flow)
        guard case .dateKey(let key) = made else { throw ModuleFailure.confused.problem(doing: "signing") }
        return key
    }

    private func make(
        _ use: KeyUse, on token: FoundToken, isAskedByName: Bool, in flow: SigningFlow
    ) async throws(Problem) -> ModuleHost.Signing {
        await renewAfterSleep()
        guard host(of: token.key) != nil else {
            throw Problem(
                .tokenGone, "token \(token.snapshot.token.displayName, .token) is gone with its module",
                hint: "run 'tokenward list' to see what is there")
        }
        // A token that needs no login is locked here, and here alone.
        if ledger.isLocked(token.key) { throw token.problem(.locked) }
        let token = await withoutOverdueLogin(token)
        let rule = rule(for: token.located)
        var source = loginSource(of: rule) ?? .typed
        // A keypad is switched on only for a person who has asked; for others the worker looks for a PIN that it holds, and
        // there is none.
        if source == .protected, !isAskedByName { source = .typed }
        let call = Signing(
            use: use.authorized(from: source, mayBeReserved: rule?.reservedPINs == true), token: token, rule: rule,
            mayWantPIN: token.mayWantPIN(for: use))
        // A token that needs no login has not been asked yet whether this PIN may be sent to it.
        if let failure = refusal(of: call) { throw token.problem(failure) }
        var result = try await signInTurn(call, flow)
        if case .failure(.refused(let failure)) = result, failure.retry == .login {
            try await logIn(to: token)
            result = try await signInTurn(call, flow)
        }
        switch result {
        case .success(.signature(let signature)): return .signature(signature)
        case .success(.dateKey(let key)): return .dateKey(key)
        case .success(.notAuthorized(let outcome)): throw await problem(of: outcome, call)
        case .failure(.lost(.revoked)): throw token.problem(.locked)
        case .failure(let failure):
            noteRefusedPSS(failure, call)
            if failure == .stopped, let refusal = refusal(of: call) { throw token.problem(refusal) }
            if let problem = failure.problem(of: use, on: token) { throw problem }
            throw failure.problem(doing: "signing on token \(token.snapshot.token.displayName, .token)")
        }
    }

    /// A signature that has been asked for.
    private struct Signing {
        let use: KeyUse
        let token: FoundToken
        let rule: TokenRule?
        let mayWantPIN: Bool

        var mayWantStoredPIN: Bool { mayWantPIN && use.source.isStored }
    }

    /// Why a stored PIN is not sent that the key may want.
    private func refusal(of call: Signing) -> LoginFailure? {
        guard call.mayWantStoredPIN else { return nil }
        return ambiguity(of: call.token, rule(for: call.token.located)) ?? ledger.refusalToSign(call.token.key)
    }

    /// Signs when the turn of the flow has come, and logs out where the PIN was good for one signature.
    private func signInTurn(
        _ call: Signing, _ flow: SigningFlow
    ) async throws(Problem) -> Result<ModuleHost.Signing, ModuleFailure> {
        let key = call.token.key
        guard let host = host(of: key) else { return .failure(.stopped) }
        let turns = await host.turns(on: key.token)
        await turns.enter(flow)
        let stamp: StoredPINStamp?? =
            call.mayWantStoredPIN ? .some(await setting.workers.stamp(call.use.source)) : nil
        while true {
            if let stamp, ledger.mustWait(with: stamp, on: key) {
                await withCheckedContinuation { calls.wait($0) }
            } else if call.rule?.pinLifetimeSeconds == 0, let login = logins[key] {
                _ = await login.task.value  // it may be for one signature, which is taken below
            } else {
                break
            }
        }
        var result: Result<ModuleHost.Signing, ModuleFailure> = .failure(.stopped)
        var taken: Result<Bool, LoginFailure> = .success(false)
        if ledger.isOver(key, at: clock.boot()) {
            await endOverdueLogin(of: call.token)
            result = .failure(.refused(WorkerFailure(.notLoggedIn, text: "the time of its PIN is over")))
        } else if !Task.isCancelled, !ledger.isLocked(key), refusal(of: call) == nil {
            // It may have waited for long, and a call before it may have spent a try, or the one signature of a login.
            taken = ledger.takeSignature(key)
            if case .success = taken { result = await send(call, to: host, stamp) }
        }
        turns.leave()
        switch taken {
        case .failure(let failure): throw call.token.problem(failure)
        case .success(let isLast):
            if isLast {
                await logOut(call.token)
                ledger.noteSignatureOver(key)
            }
        }
        return result
    }

    /// - Parameter stamp: Of the stored PIN that the key may want; nil where it wants none.
    private func send(
        _ call: Signing, to host: ModuleHost, _ stamp: StoredPINStamp??
    ) async -> Result<ModuleHost.Signing, ModuleFailure> {
        let key = call.token.key
        let mayTouch = call.rule?.touch == true
        // Another module may have reported them: this one learns them where it is about to get a PIN, and nowhere else.
        let use = call.use.authorized(
            from: call.use.source, mayBeReserved: call.rule?.reservedPINs == true,
            refused: call.mayWantPIN ? ledger.tries.refused(by: key) : [])
        let sending = stamp.map { ledger.expectSignature(with: $0, on: key) }
        keepTries()
        let open = calls.begin(key, mayTouch ? .gesture(nil) : .quiet, isSignature: true)
        watch(open, of: call.token, for: use.source == .protected ? .pin : .touch)
        // The PIN that a person types on a keypad is new each time.
        let isOldPIN = sending?.isKnown != false && use.source != .protected
        let result = await host.sign(
            use, mayTouch: mayTouch, isPINKnown: isOldPIN, permit: open.permit)
        endWatch(of: open)
        let login: Result<LoginOutcome, ModuleFailure> = result.map { signing in
            if case .notAuthorized(let outcome) = signing { outcome } else { .notNeeded }
        }
        ledger.noteSignature(login, sending, on: key, at: clock.boot())
        keepTries()
        calls.end(open)
        return result
    }

    /// A module may list mechanisms that its token refuses. The next handshake gets on without them.
    private func noteRefusedPSS(_ failure: ModuleFailure, _ call: Signing) {
        guard case .refused(let refusal) = failure, refusal.kind == .mechanism,
            case .signature(let request) = call.use, request.scheme.algorithm == .rsaPSS,
            sightings.noteRefusedPSS(call.token.key)
        else { return }
        log.notice(
            "the token refuses RSA-PSS signatures, which its module lists: from now on TLS 1.2 is used",
            metadata: ["token": "\(call.token.snapshot.token.plainName)"])
    }

    /// The PIN that a key wants each time was not sent, or refused: the same as for any login.
    private func problem(of outcome: LoginOutcome, _ call: Signing) async -> Problem {
        let token = call.token
        let outcome = explained(outcome, call.rule)
        tell(of: .success(outcome), token, isTyped: call.use.source == .typed)
        if outcome == .refused(.notHeld), call.rule?.pinSource == .protected { return token.problem(.keypad) }
        // A token that is logged in with a PIN that the key does not get must be unlocked anew.
        await logOut(token)
        return token.problem(LoginFailure(outcome) ?? .needed)
    }

    // MARK: Telling people

    /// A signature under way.
    struct WatchedSignature: Sendable {
        let call: OpenCalls.Call
        let token: FoundToken
        let gesture: Gesture
        /// When people are told of it, in milliseconds of boot time; nil: they have been.
        var due: Int64?
        /// The desktop's notice of it.
        var notice: Task<Void, Never>?
    }

    /// Tells people of the signature if it takes long. One task looks after all of them: a timer for each costs as much as
    /// a signature.
    private func watch(_ call: OpenCalls.Call, of token: FoundToken, for gesture: Gesture) {
        watched[call.id] = WatchedSignature(
            call: call, token: token, gesture: gesture, due: clock.boot() + TokenCalls.long)
        guard !isTelling else { return }
        isTelling = true
        Task {
            while let due = watched.values.lazy.compactMap(\.due).min() {
                try? await clock.sleep(max(1, due - clock.boot()))
                for slow in watched.values where slow.due.map({ $0 <= clock.boot() }) ?? false { tell(slow) }
            }
            isTelling = false
        }
    }

    /// Ends what `watch` began.
    private func endWatch(of call: OpenCalls.Call) { watched.removeValue(forKey: call.id)?.notice?.cancel() }

    private func tell(_ slow: WatchedSignature) {
        watched[slow.call.id]?.due = nil
        calls.note(slow.call, .gesture(slow.gesture))
        let token = slow.token.snapshot.token
        log.notice(
            slow.gesture == .touch
                ? "a signature takes long: if the token blinks, touch it" : "the reader's keypad waits",
            metadata: ["token": "\(token.plainName)"])
        guard slow.token.rule?.touch == true else { return }
        watched[slow.call.id]?.notice = Task {  // until it is cancelled
            guard await prompts.settings.notify, !Task.isCancelled else { return }
            // The title, because desktops take the body for a kind of HTML, and a token's label may be anything.
            await desktop.show("Touch token \(token.displayName)", "It has something to sign for Tokenward.")
        }
    }
}

extension FoundToken {
    /// Whether the key wants the PIN at each signature, or has not been seen: some tokens show it after a login alone.
    fileprivate func mayWantPIN(for use: KeyUse) -> Bool {
        guard case .signature(let request) = use else { return false }
        let keys = snapshot.keys.filter {
            $0.keyClass == .privateKey && (request.keyID.isEmpty || $0.id == request.keyID)
                && request.keyLabel ?? $0.label == $0.label
        }
        return keys.isEmpty || keys.contains(where: \.alwaysAuthenticates)
    }
}
