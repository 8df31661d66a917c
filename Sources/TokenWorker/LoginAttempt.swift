import LockedMemory
import PKCS11
import TokenService

/// One login as a value: whether a PIN may be sent to the token at all, what is to be known before, and what the token's
/// answer means. It makes no call: it names the next step, and is told how that went.
///
/// The token's flags are read right before the PIN is sent. A PIN is sent once.
struct LoginAttempt {
    /// What the PIN is for.
    enum Purpose: Hashable {
        /// The login that is every session's (CKU_USER).
        case token
        /// The one operation that was just begun (CKU_CONTEXT_SPECIFIC), for a key with CKA_ALWAYS_AUTHENTICATE. A typed PIN
        /// is then one that the token has taken before.
        case operation
    }

    enum Step: Hashable {
        /// See who is in the slot, and the state of its PIN: `note(flags:lengths:)`.
        case look
        /// Wait these milliseconds, in which the token may change: `noteRest()`.
        case rest(Int64)
        /// Get the PIN from where the request says: `note(pin:)`.
        case fetchPIN
        /// Compare it with those that the token has refused: `note(mayBeRefused:)`.
        case compare
        /// Call C_Login, with the PIN or for the reader's pinpad: `note(answer:)`.
        case send
        /// Call C_Logout: a token whose PIN has expired may be logged in, to refuse all else. `noteLogout()`.
        case logOut(LoginOutcome)
        case end(LoginOutcome)
    }

    private(set) var request: LoginRequest
    private let purpose: Purpose
    /// What the token has answered to the stored PIN before, without judging it.
    private var doubt: LoginOutcome?
    /// The PINs that the request says are refused.
    private let refusedByRequest: [FailedPIN]
    private var lengths = 0...PIN.capacity
    /// How long the token is not to be sent a PIN yet, in milliseconds.
    private var rest: Int64
    private var isCompared = false
    private(set) var step = Step.look
    /// The module was asked, so that nothing may be repeated: the PIN would be sent again.
    private(set) var wasSent = false
    /// Whether the token has taken the PIN, for the pace of those after it: what is not known counts as wrong. Nil where it cannot
    /// have looked at one.
    private(set) var isTaken: Bool?

    /// - Parameters:
    ///   - memory: What the worker knows of the token's PINs beside what the request says.
    ///   - rest: See `LoginPace`. A PIN for an operation has been taken before, or is known to be in doubt.
    init(_ request: LoginRequest, for purpose: Purpose, _ memory: PINMemory, rest: Int64 = 0) {
        self.rest = rest
        self.request = request
        self.purpose = purpose
        refusedByRequest = request.refused
        note(memory)
    }

    /// What is known of the token's PINs now: before each look, because another call may have found out more in a rest or a
    /// comparison.
    mutating func note(_ memory: PINMemory) {
        let refused = refusedByRequest + memory.refused(by: request.token.token)
        if refused != request.refused { isCompared = false }
        request.refused = refused
        // A person who asks for a login has looked at the token.
        doubt = purpose == .operation && request.source.isStored ? memory.doubt(about: request.token.token) : nil
    }

    /// What the token that is meant has said of itself.
    ///
    /// - Parameter lengths: Of the PINs that it takes, in bytes.
    mutating func note(flags: TokenFlags, lengths: ClosedRange<Int>) {
        // A login as a whole is for tokens that want one; what a key wants for each signature it says itself.
        if purpose == .token, !flags.contains(.loginRequired) { return step = .end(.notNeeded) }
        // A low count stops a PIN that nobody has typed for this token.
        if let refusal = LoginRefusal(flags: flags, isStored: request.source.isStored || request.isFromLogin) {
            return refuse(refusal)
        }
        if isCompared { return step = .send }
        guard rest == 0 else { return step = .rest(rest) }
        self.lengths = lengths
        switch request.source {
        case .protected: if flags.contains(.protectedAuthenticationPath) { step = .send } else { refuse(.noPinpad) }
        case .typed, .file, .credential: step = doubt.map { .end($0) } ?? .fetchPIN
        }
    }

    mutating func noteRest() {
        rest = 0
        step = .look
    }

    mutating func note(pin: Result<PINShape, PINError>) {
        switch pin {
        case .failure where request.source == .typed && purpose == .operation: refuse(.notHeld)
        case .failure(let error): refuse(.unreadable(reason: "\(error)"))
        case .success where request.source == .typed && purpose == .operation:
            // The token has taken it, and perhaps refused it since, where another module shows the card as well.
            step = request.refused.isEmpty ? .send : .compare
        case .success(let shape):
            if let refusal = shape.refusal(mayBeReserved: request.mayBeReserved, lengths: lengths) {
                refuse(refusal)
            } else {
                step = request.refused.isEmpty ? .send : .compare
            }
        }
    }

    /// - Parameter mayBeRefused: The token has refused this PIN, or nobody can tell.
    mutating func note(mayBeRefused: Bool) {
        if mayBeRefused { return refuse(.knownWrong) }
        // The comparison took a while, in which the card may have been changed, or another program has failed.
        isCompared = true
        step = .look
    }

    /// What C_Login has answered; nil for CKR_OK. What cannot have cost a try is an error; all else that is not success counts
    /// as one, what vendors invent included.
    ///
    /// - Throws: The error, where it says nothing of the PIN.
    mutating func note(answer error: PKCS11Error?) throws(PKCS11Error) {
        wasSent = true
        guard let error else {
            isTaken = true
            return step = .end(.loggedIn)
        }
        if error.returnValue?.mayHaveCostATry != false { isTaken = false }
        guard let code = error.returnValue else { throw error }
        let rejection = LoginOutcome.rejected(returnValue: UInt64(code.rawValue), name: "\(code)", failed: nil)
        switch (purpose, code, code.meaning) {
        case (_, .userAlreadyLoggedIn, _): step = .end(.notNeeded)
        case (_, _, .personDeclined): throw error
        case (.token, _, .tokenGone), (.token, _, .brokenModule), (.token, _, .outOfMemory): throw error
        case (.token, .sessionHandleInvalid, _), (.token, .sessionClosed, _), (.token, .functionFailed, _): throw error
        case (.token, .pinExpired, _): step = .logOut(rejection)
        // openCryptoki and NetHSM: the attribute is kept and not enforced, so they sign as it is. So does NSS, above.
        case (.operation, .userTypeInvalid, _): step = .end(.notNeeded)
        case (.operation, .operationNotInitialized, _):
            wasSent = false  // no PIN was judged, and a new operation may do
            throw error
        case (.operation, .deviceRemoved, _), (.operation, .tokenNotPresent, _): throw error
        // In the middle of an operation all else may be the token's way to say no (OpenSC loses its sessions over it).
        default: step = .end(rejection)
        }
    }

    mutating func noteLogout() {
        if case .logOut(let outcome) = step { step = .end(outcome) }
    }

    /// The agent is gone and would not learn what became of the PIN, or the token is to be logged out of.
    mutating func noteIsOver() { refuse(.notHeld) }

    private mutating func refuse(_ refusal: LoginRefusal) { step = .end(.refused(refusal)) }
}

/// What a PIN looks like, without a byte of it.
struct PINShape: Hashable {
    /// In bytes.
    var count: Int
    /// Words that ykcs11 takes for commands: it logs in without any PIN, or by fingerprint.
    var isReserved: Bool
    var hasControlByte: Bool

    init(_ pin: borrowing PIN) {
        count = pin.count
        isReserved = pin.withBytes { bytes in
            ["VERIFY_NONE", "VERIFY_BIO"].contains { word in
                word.utf8.count == bytes.count && word.utf8.enumerated().allSatisfy { bytes[$0] == $1 }
            }
        }
        hasControlByte = pin.hasControlByte
    }

    /// Why the token is not even asked.
    ///
    /// - Parameter lengths: What the token takes, in bytes.
    func refusal(mayBeReserved: Bool, lengths: ClosedRange<Int>) -> LoginRefusal? {
        if isReserved { return mayBeReserved ? nil : .reserved }  // no PIN, so no length to hold to
        if hasControlByte { return .controlByte }
        guard lengths.contains(count) else {
            return .length(
                shortest: UInt32(clamping: lengths.lowerBound), longest: UInt32(clamping: lengths.upperBound))
        }
        return nil
    }
}
