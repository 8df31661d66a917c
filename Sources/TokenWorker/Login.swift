import Glibc
import PKCS11
import TokenService
import X509

extension TokenControl {
    /// Logs in to a token: at most one C_Login, and none that the token's own flags speak against.
    ///
    /// The flags are read right before the call, on the one thread that logs in.
    mutating func logIn(_ request: LoginRequest, typed: HeldPIN?) -> Reply {
        do throws(PKCS11Error) {
            let (token, isLoggedIn) = try openForLogin(request.token)
            if isLoggedIn { return .login(.notNeeded) }
            var information = try look(with: token)
            var flags = TokenFlags(rawValue: information.flags)
            guard flags.contains(.loginRequired) else {
                heldPINs.endDoubt(about: request.token.token)  // nobody but a person asks for such a login
                return .login(.notNeeded)
            }
            if let refusal = request.refusal(by: flags) { return .login(.refused(refusal)) }
            let rest = pace.rest(for: request.token.token, at: milliseconds)
            if rest > 0 {  // in which the token may change
                usleep(useconds_t(rest * 1000))
                information = try look(with: token)
                flags = TokenFlags(rawValue: information.flags)
                if let refusal = request.refusal(by: flags) { return .login(.refused(refusal)) }
            }
            if request.source == .protected {
                guard flags.contains(.protectedAuthenticationPath) else { return .login(.refused(.noPinpad)) }
                return .login(noted(try unsafe send(nil, to: token), request.token))
            }
            var request = request
            request.refused += heldPINs.refused(by: request.token.token)
            let held: HeldPIN
            do throws(PINError) {
                held = try request.readPIN(typed: typed)
            } catch {
                return .login(.refused(.unreadable(reason: "\(error)")))
            }
            let outcome = try logIn(token, with: held.pin, request, lengths: information.pinLength)
            if outcome == .loggedIn { keep(held, of: token, isStored: request.isStored) }
            return .login(noted(outcome, request.token))
        } catch {
            tokens.close(slot: request.token.slotID)
            var failure = WorkerFailure(error)
            if case .failed(.logIn, let code) = error { failure.leavesPINInDoubt = code.mayHaveCostATry }
            return .failed(failure)
        }
    }

    private mutating func noted(_ outcome: LoginOutcome, _ reference: TokenReference) -> LoginOutcome {
        if outcome == .loggedIn, tokens.module.usesCardReaders, let slot = try? tokens.module.slot(of: reference) {
            verifiedCards.add(reference.token, in: slot)  // one that went since has lost its login
        }
        return outcome
    }

    /// A session, and whether it is logged in. One that has gone stale is opened anew: no PIN has been sent.
    private mutating func openForLogin(
        _ reference: TokenReference
    ) throws(PKCS11Error) -> (token: OpenToken, isLoggedIn: Bool) {
        do throws(PKCS11Error) {
            let token = try tokens.open(reference)
            return (token, try token.isPerhapsLoggedIn() == true)
        } catch {
            tokens.close(slot: reference.slotID)
            guard error.isWorthRepeating else { throw error }
            let token = try tokens.open(reference)
            return (token, try token.isPerhapsLoggedIn() == true)
        }
    }

    /// Who is in the slot now.
    ///
    /// - Throws: `.notFound` when it is another token than the one meant, which must not get this one's PIN.
    private mutating func look(with token: OpenToken) throws(PKCS11Error) -> TokenInformation {
        do throws(PKCS11Error) {
            return try token.look()
        } catch {
            tokens.close(slot: token.reference.slotID)
            throw error
        }
    }

    private mutating func logIn(
        _ token: OpenToken, with pin: borrowing PIN, _ request: LoginRequest, lengths: ClosedRange<Int>
    ) throws(PKCS11Error) -> LoginOutcome {
        if let refusal = pin.refusal(request, lengths: lengths) { return .refused(refusal) }
        if !request.refused.isEmpty {
            if request.refused.mayContain(pin) { return .refused(.knownWrong) }
            // The comparison took a while, in which the card may have been changed, or another program has failed.
            let flags = TokenFlags(rawValue: try look(with: token).flags)
            if let refusal = request.refusal(by: flags) { return .refused(refusal) }
        }
        return try unsafe pin.withBytes { (bytes) throws(PKCS11Error) in try unsafe send(bytes, to: token) }
            .remembering(pin, salt: request.refused.first?.salt)
    }

    /// The token has just taken this PIN: its keys may want it again.
    private func keep(_ pin: HeldPIN, of token: OpenToken, isStored: Bool) {
        heldPINs.endDoubt(about: token.reference.token)
        if isStored {
            heldPINs.forgetRefused(by: token.reference.token)
        } else if token.mayAskEachTime() {
            heldPINs.hold(pin, for: token.reference.token)
        }
    }

    /// The one C_Login. What cannot have cost a try is an error; all else that is not success counts as one.
    private mutating func send(
        _ pin: UnsafeRawBufferPointer?, to token: OpenToken
    ) throws(PKCS11Error) -> LoginOutcome {
        guard !tokens.module.agent.isOver else { return .refused(.notHeld) }  // which nobody reads
        do throws(PKCS11Error) {
            try unsafe token.logIn(pin: pin)
            pace.note(token.reference.token, isTaken: true, at: milliseconds)
            return .loggedIn
        } catch {
            if error.returnValue?.mayHaveCostATry != false {
                pace.note(token.reference.token, isTaken: false, at: milliseconds)
            }
            guard let returnValue = error.returnValue, !returnValue.saysNothingOfPIN else { throw error }
            if returnValue == .userAlreadyLoggedIn { return .notNeeded }
            if returnValue == .pinExpired { try? token.logOut() }  // some are logged in then, to refuse all else
            return .rejected(returnValue: UInt64(returnValue.rawValue), name: "\(returnValue)", failed: nil)
        }
    }
}

extension ReturnValue {
    /// The call went wrong before or beside the PIN. All else counts as a judgement on it, what vendors invent included.
    fileprivate var saysNothingOfPIN: Bool {
        saysTokenIsGone || saysModuleIsBroken || saysOutOfMemory || saysPersonDeclined
            || [.sessionHandleInvalid, .sessionClosed, .functionFailed].contains(self)
    }

    /// Of those: a card that is pulled in the middle has perhaps counted the PIN, and a module that has lost its way
    /// perhaps sent it. Where there was no token, or a person turned away, it was not.
    var mayHaveCostATry: Bool {
        !saysPersonDeclined
            && ![.tokenNotPresent, .tokenNotRecognized, .slotIDInvalid, .notInitialized].contains(self)
    }
}

extension LoginRequest {
    var isStored: Bool {
        switch source {
        case .file, .credential: true
        case .typed, .protected: false
        }
    }

    /// What the token's flags say against it. A low count stops a PIN that nobody has typed for this token.
    func refusal(by flags: TokenFlags) -> LoginRefusal? {
        LoginRefusal(flags: flags, isStored: isStored || isFromLogin)
    }

    func readPIN(typed: HeldPIN?) throws(PINError) -> HeldPIN {
        switch source {
        case .file(let path): return HeldPIN(try PIN(file: path, isCredential: false))
        case .credential(let path): return HeldPIN(try PIN(file: path, isCredential: true))
        case .typed, .protected:
            guard let typed else { throw .empty }
            return typed
        }
    }
}
