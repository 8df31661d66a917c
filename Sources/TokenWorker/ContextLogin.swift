import PKCS11
import TokenService

/// The login that a key with CKA_ALWAYS_AUTHENTICATE asks for at each signature: its PIN goes to the one operation that
/// was just begun, with the same rules as any other login, and once.
struct ContextLogin {
    private var request: LoginRequest
    private let pins: HeldPINs
    private let agent: AgentChannel
    /// The module was asked, so that nothing may be repeated: the PIN would be sent again.
    private(set) var wasSent = false
    /// Why there is no signature.
    private(set) var refusal: LoginOutcome?

    init(for request: SignRequest, with module: LoadedModule) {
        self.request = LoginRequest(
            token: request.token, source: request.source, refused: request.refused,
            mayBeReserved: request.mayBeReserved)
        pins = module.heldPINs
        agent = module.agent
    }

    /// Logs in between C_SignInit and C_Sign.
    ///
    /// - Throws: `.notAuthorized` where `refusal` has the reason; else what is no fault of the PIN.
    mutating func perform(on token: OpenToken) throws(PKCS11Error) {
        request.refused += pins.refused(by: request.token.token)
        let information = try token.look()
        let flags = TokenFlags(rawValue: information.flags)
        if let refusal = LoginRefusal(flags: flags, isStored: request.isStored) { try refuse(.refused(refusal)) }
        switch request.source {
        case .protected:
            guard flags.contains(.protectedAuthenticationPath) else { return try refuse(.refused(.noPinpad)) }
            try unsafe send(nil, to: token)
        case .typed:
            guard let held = pins.pin(for: request.token.token) else { return try refuse(.refused(.notHeld)) }
            try send(held.pin, to: token)
        case .file, .credential: try sendStored(to: token, lengths: information.pinLength)
        }
    }

    private mutating func sendStored(to token: OpenToken, lengths: ClosedRange<Int>) throws(PKCS11Error) {
        let held: HeldPIN
        if let doubt = pins.doubt(about: request.token.token) { return try refuse(doubt) }
        do throws(PINError) {
            held = try request.readPIN(typed: nil)
        } catch {
            return try refuse(.refused(.unreadable(reason: "\(error)")))
        }
        if let refusal = held.pin.refusal(request, lengths: lengths) { return try refuse(.refused(refusal)) }
        if !request.refused.isEmpty {
            if request.refused.mayContain(held.pin) { return try refuse(.refused(.knownWrong)) }
            // The comparison took a while, in which the card may have been changed, or another program has failed.
            let flags = TokenFlags(rawValue: try token.look().flags)
            if let refusal = LoginRefusal(flags: flags, isStored: true) { return try refuse(.refused(refusal)) }
        }
        try send(held.pin, to: token)
        pins.forgetRefused(by: request.token.token)
    }

    private mutating func send(_ pin: borrowing PIN, to token: OpenToken) throws(PKCS11Error) {
        do throws(PKCS11Error) {
            try unsafe pin.withBytes { (bytes) throws(PKCS11Error) in try unsafe send(bytes, to: token) }
        } catch .notAuthorized {
            // The token has lost its sessions over it (OpenSC), or was pulled: which, nobody knows. The PIN is not sent
            // again by itself, and not held against the person who types it.
            if refusal?.saysSessionIsGone != true {
                refusal = refusal?.remembering(pin, salt: request.refused.first?.salt)
            }
            if case .rejected(_, _, let failed, _)? = refusal { pins.refuse(failed, by: request.token.token) }
            if request.isStored, case .rejected(_, _, failed: nil, _)? = refusal, let refusal {
                pins.noteDoubt(about: request.token.token, refusal)
            }
            throw .notAuthorized
        }
    }

    /// The one C_Login. What cannot have cost a try is an error; all else that is not success counts as one.
    private mutating func send(_ pin: UnsafeRawBufferPointer?, to token: OpenToken) throws(PKCS11Error) {
        guard !agent.isOver else { return try refuse(.refused(.notHeld)) }  // which nobody reads
        wasSent = true
        do throws(PKCS11Error) {
            try unsafe token.logInForOperation(pin: pin)
        } catch {
            guard let returnValue = error.returnValue else { throw error }
            switch returnValue {
            case .userTypeInvalid, .userAlreadyLoggedIn:
                return  // openCryptoki and NetHSM, NSS: the attribute is kept and not enforced, so they sign as it is
            case .operationNotInitialized:
                wasSent = false  // no PIN was judged, and a new operation may do
                throw error
            case .functionCanceled, .functionRejected, .deviceRemoved, .tokenNotPresent: throw error
            default:
                try refuse(.rejected(returnValue: UInt64(returnValue.rawValue), name: "\(returnValue)", failed: nil))
            }
        }
    }

    private mutating func refuse(_ outcome: LoginOutcome) throws(PKCS11Error) {
        refusal = outcome
        throw .notAuthorized
    }
}

extension LoginOutcome {
    fileprivate var saysSessionIsGone: Bool {
        guard case .rejected(let code, _, _, _) = self else { return false }
        return [.sessionHandleInvalid, .sessionClosed].contains(ReturnValue(rawValue: UInt(code)))
    }
}

extension OpenToken {
    /// Whether the token has a key that wants the PIN at each signature. One that cannot tell may have.
    func mayAskEachTime() -> Bool {
        do throws(PKCS11Error) {
            for key in try objects(.privateKey) {
                let values = try attributes([.alwaysAuthenticate], of: key)
                if values.flag(.alwaysAuthenticate) == true { return true }
            }
            return false
        } catch {
            return true
        }
    }
}
