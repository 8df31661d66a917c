import PKCS11
import TokenService

/// What follows from a call that failed: the fault table, as far as the worker acts on it itself. What the agent does is
/// said by the failure's kind.
extension PKCS11Error {
    /// Whether what failed may be done once more, in a new session and with objects found anew. Codes that no header
    /// knows are among these: vendors invent them for what has gone stale.
    var isWorthRepeating: Bool {
        guard case .failed(let function, let code) = self, function != .initialize else { return false }
        return switch code.meaning {
        case .tokenGone, .brokenModule, .personDeclined, .missingLogin, .noSessionLeft, .forbidden: false
        case .staleHandle, .staleSession, .outOfMemory, .wrongPIN, .refusedMechanism, .unknown: true
        }
    }

    /// Whether one object is at fault, and the others can be read.
    var concernsOneObject: Bool {
        guard case .failed(.getAttributeValue, let code) = self else { return false }
        return switch code.meaning {
        case .tokenGone, .brokenModule, .outOfMemory, .staleHandle, .staleSession: false
        case .personDeclined, .wrongPIN, .refusedMechanism, .missingLogin, .noSessionLeft, .forbidden, .unknown: true
        }
    }

    /// Whether the library is to be replaced, as far as one call can tell.
    var saysModuleIsBroken: Bool {
        switch self {
        // There is nothing to leave out, and nothing to do again but in a new process.
        case .failed(.getSlotList, _), .nonsense: true
        default: [.brokenModule, .outOfMemory].contains(returnValue?.meaning)
        }
    }

    /// No slot has the token any more.
    var saysTokenIsGone: Bool { self == .absentToken || returnValue?.meaning == .tokenGone }

    /// A key that is not seen, or not to be used: the session must be asked whether it is logged in.
    var leavesLoginInDoubt: Bool {
        if case .notFound = self { return true }
        return returnValue?.meaning == .missingLogin
    }

    /// Whether a module that cannot say if it is logged in may work all the same: what it answers to C_GetSessionInfo is
    /// then not about the session.
    var leavesSessionUsable: Bool {
        isWorthRepeating && ![.staleHandle, .staleSession].contains(returnValue?.meaning)
    }

    /// What a session that cannot say whether it is logged in has answered to C_Logout: there is no login to end.
    var saysLoginIsGone: Bool {
        guard let returnValue else { return false }
        return [.tokenGone, .missingLogin].contains(returnValue.meaning)
            || [.sessionHandleInvalid, .sessionClosed].contains(returnValue)
    }

    /// Whether a read-write session may be had where a read-only one was refused (CloudHSM before 5.5.0).
    var maySpeakAgainstReadOnly: Bool {
        guard let returnValue else { return false }
        if returnValue == .sessionReadOnly { return true }
        return switch returnValue.meaning {
        case .tokenGone, .brokenModule, .outOfMemory, .noSessionLeft: false
        case .staleHandle, .staleSession, .personDeclined, .wrongPIN, .refusedMechanism, .missingLogin, .forbidden,
            .unknown:
            true
        }
    }

    /// No slot has the token.
    static let absentToken = PKCS11Error.notFound(.token)
}

extension ReturnValue {
    /// Of what C_Login answers when it did not work: a card that is pulled in the middle has perhaps counted the PIN, and a
    /// module that has lost its way perhaps sent it. Where there was no token, or a person turned away, it was not.
    var mayHaveCostATry: Bool {
        meaning != .personDeclined
            && ![.tokenNotPresent, .tokenNotRecognized, .slotIDInvalid, .notInitialized].contains(self)
    }
}

extension WorkerFailure {
    /// What was known around the call.
    struct Circumstances {
        /// What C_GetSessionInfo said, where it was asked. CKR_USER_NOT_LOGGED_IN in a session that is logged in means a
        /// touch that did not come, or a key that wants its PIN each time: never a lost login.
        var isLoggedIn: Bool?
        /// It has failed in a new session as well.
        var isRepeated = false
        /// The signature took so long that a person was probably asked: OpenSC forgets the login over a touch that did not
        /// come. A login that was lost says so at once.
        var hasWaited = false
    }

    init(_ error: PKCS11Error, in circumstances: Circumstances = Circumstances()) {
        let isLoggedIn = circumstances.isLoggedIn
        let kind: Kind =
            switch error {
            case .notLoaded, .notRead: .notLoaded
            case .noMechanism: .mechanism
            case .notAuthorized, .interrupted: .notLoggedIn
            case .overLimit, .nonsense: .nonsense
            case .notFound(.token), .notFound(.onlyToken): .tokenGone
            case .notFound(.privateKey), .notFound(.secretKey): isLoggedIn == false ? .notLoggedIn : .keyNotFound
            case .notFound(.onlySecretKey): .keyNotFound
            case .failed(.getSlotList, _): .broken
            case .failed(let function, let code):
                switch code.meaning {
                case .refusedMechanism where function == .sign: .mechanism
                case .missingLogin where function == .sign && circumstances.hasWaited: .gesture
                case .missingLogin: isLoggedIn == true ? .gesture : .notLoggedIn
                case .noSessionLeft: .busy
                case .forbidden: .forbidden
                case .personDeclined: .gesture
                case .tokenGone: .tokenGone
                case .brokenModule, .outOfMemory: .broken
                case .staleHandle: .function
                case .staleSession, .wrongPIN, .refusedMechanism, .unknown:
                    circumstances.isRepeated ? .broken : .function
                }
            }
        let isPINInDoubt = if case .failed(.logIn, let code) = error { code.mayHaveCostATry } else { false }
        self.init(
            kind, returnValue: error.returnValue.map { UInt64($0.rawValue) }, text: "\(error)",
            leavesPINInDoubt: isPINInDoubt)
    }
}
