import PKCS11
import TokenService
import X509

extension TokenControl {
    /// Logs in to a token: at most one C_Login, and none that the token's own flags speak against.
    ///
    /// The flags are read right before the call, on the one thread that logs in.
    mutating func logIn(_ request: LoginRequest, typed: HeldPIN?) -> Reply {
        do throws(PKCS11Error) {
            let information = try look(at: request.token)
            let token = try tokens.open(request.token)
            let flags = TokenFlags(rawValue: information.flags)
            guard flags.contains(.loginRequired) else { return .login(.notNeeded) }
            if try token.isLoggedIn() { return .login(.notNeeded) }
            if let refusal = LoginRefusal(flags: flags, isStored: request.isStored) { return .login(.refused(refusal)) }
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
            return .failed(WorkerFailure(error))
        }
    }

    private mutating func noted(_ outcome: LoginOutcome, _ reference: TokenReference) -> LoginOutcome {
        if outcome == .loggedIn, tokens.module.usesCardReaders, let slot = try? tokens.module.slot(of: reference) {
            verifiedCards.add(reference.token, in: slot)  // one that went since has lost its login
        }
        return outcome
    }

    /// Who is in the slot now. An open session says nothing of that: some modules keep its handle for the next card.
    ///
    /// - Throws: `.notFound` when it is another token than the one meant, which must not get this one's PIN.
    private mutating func look(at reference: TokenReference) throws(PKCS11Error) -> TokenInformation {
        do throws(PKCS11Error) {
            let information = try tokens.module.slot(of: reference).token()
            guard information.description == reference.token else { throw .notFound(what: "the token in its slot") }
            return information
        } catch {
            tokens.close(slot: reference.slotID)
            throw error
        }
    }

    private mutating func logIn(
        _ token: OpenToken, with pin: borrowing PIN, _ request: LoginRequest, lengths: ClosedRange<Int>
    ) throws(PKCS11Error) -> LoginOutcome {
        guard lengths.contains(pin.count) else {
            return .refused(
                .length(shortest: UInt32(clamping: lengths.lowerBound), longest: UInt32(clamping: lengths.upperBound)))
        }
        if !request.refused.isEmpty {
            if request.refused.mayContain(pin) { return .refused(.knownWrong) }
            // The comparison took a while, in which the card may have been changed, or another program has failed.
            let flags = TokenFlags(rawValue: try look(at: request.token).flags)
            if let refusal = LoginRefusal(flags: flags, isStored: request.isStored) { return .refused(refusal) }
        }
        return try unsafe pin.withBytes { (bytes) throws(PKCS11Error) in try unsafe send(bytes, to: token) }
            .remembering(pin, salt: request.refused.first?.salt)
    }

    /// The token has just taken this PIN: its keys may want it again.
    private func keep(_ pin: HeldPIN, of token: OpenToken, isStored: Bool) {
        if isStored {
            heldPINs.forgetRefused(by: token.reference.token)
        } else if token.mayAskEachTime() {
            heldPINs.hold(pin, for: token.reference.token)
        }
    }

    /// The one C_Login. What cannot have cost a try is an error; all else that is not success counts as one.
    private func send(_ pin: UnsafeRawBufferPointer?, to token: OpenToken) throws(PKCS11Error) -> LoginOutcome {
        do throws(PKCS11Error) {
            try unsafe token.logIn(pin: pin)
            return .loggedIn
        } catch {
            guard let returnValue = error.returnValue, !error.costNoTry else { throw error }
            if returnValue == .userAlreadyLoggedIn { return .notNeeded }
            return .rejected(returnValue: UInt64(returnValue.rawValue), name: "\(returnValue)", failed: nil)
        }
    }
}

extension PKCS11Error {
    /// The token was not there to judge a PIN, or a person turned away.
    fileprivate var costNoTry: Bool {
        switch returnValue {
        case .deviceRemoved?, .tokenNotPresent?, .tokenNotRecognized?, .sessionHandleInvalid?, .sessionClosed?,
            .slotIDInvalid?, .notInitialized?, .functionCanceled?, .functionRejected?, .hostMemory?:
            true
        default: false
        }
    }
}

extension LoginRequest {
    var isStored: Bool {
        switch source {
        case .file, .credential: true
        case .typed, .protected: false
        }
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
