/// What a worker answers.
package enum Reply: Hashable, Sendable {
    case loaded(ModuleReport)
    case tokens([TokenSnapshot])
    /// To a signature as well: it was not made, because the login that the key asks for each time ended so.
    case login(LoginOutcome)
    case loggedOut
    /// DER `Ecdsa-Sig-Value` for EC keys, PKCS #1 v1.5 for RSA.
    case signature([UInt8])
    /// SigV4's date key: 32 bytes, which travel as the frame's secret.
    case dateKey(HeldSecret)
    /// What `Request.presence` asks for.
    case present([TokenReference])
    case renewed
    case registeredModules([RegisteredModule])
    case readers(ReaderReport)
    /// The card has forgotten its login: what `ReaderRequest.reset` asks for.
    case reset
    /// A worker's own word, as number 0: the readers with the cards that are logged in by it now, and stay so if it ends in
    /// this moment.
    case verifiedCards([[UInt8]])
    /// A keeper's: a `KeeperReply`.
    case management([UInt8])
    case failed(WorkerFailure)
}

/// What the module says of itself (CK_INFO).
package struct ModuleReport: Hashable, Sendable {
    package var manufacturer: [UInt8]
    package var description: [UInt8]
    package var version: String
    /// The library talks to pcscd: it has loaded libpcsclite.
    package var usesCardReaders: Bool

    package init(
        manufacturer: [UInt8], description: [UInt8], version: String, usesCardReaders: Bool = false
    ) {
        self.manufacturer = manufacturer
        self.description = description
        self.version = version
        self.usesCardReaders = usesCardReaders
    }
}

/// How a login ended. Whether it may have cost a try is what sets the cases apart.
package enum LoginOutcome: Hashable, Sendable {
    /// The token took the PIN.
    case loggedIn
    /// The process was logged in already, or the token needs no login: no PIN was judged.
    case notNeeded
    /// Nothing was sent to the token.
    case refused(LoginRefusal)
    /// The token refused, and may have counted a try. The PIN is not sent again; `oddities` may be why it is wrong.
    case rejected(returnValue: UInt64, name: String, failed: FailedPIN?, oddities: [PINOddity] = [])

    /// Whether a PIN may have cost a try without having been judged: a code that says nothing of it, and another login with
    /// the same PIN would not be known as such.
    package var leavesPINInDoubt: Bool {
        if case .rejected(_, _, failed: nil, _) = self { true } else { false }
    }

    /// CKR_PIN_LOCKED (PKCS#11 2.40 §11.1), as a `returnValue`: the token takes no PIN any more.
    package static let pinLocked: UInt64 = 0xA4
}

/// Why no PIN was sent.
package enum LoginRefusal: Hashable, Sendable {
    /// CKF_USER_PIN_LOCKED.
    case locked
    /// CKF_USER_PIN_FINAL_TRY.
    case finalTry
    /// CKF_USER_PIN_COUNT_LOW, and the PIN is a stored one: somebody has failed already, so a person must look.
    case countLow
    /// CKF_USER_PIN_TO_BE_CHANGED.
    case toBeChanged
    /// Without CKF_USER_PIN_INITIALIZED.
    case notInitialized
    /// The PIN's length is outside what the token takes.
    case length(shortest: UInt32, longest: UInt32)
    /// The token has refused this very PIN before.
    case knownWrong
    /// The PIN file gave no PIN; the reason names no byte of it.
    case unreadable(reason: String)
    /// `pin-source = "protected"`, and the token has no protected authentication path.
    case noPinpad
    /// The PIN is a word that a module takes for a command: ykcs11 logs in with "VERIFY_NONE" without any PIN.
    case reserved
    /// A PIN that was typed holds a control character.
    case controlByte
    /// The key wants the PIN each time, and the worker holds none that the token has taken.
    case notHeld
}

/// A request that failed, and what is known of the reason.
package struct WorkerFailure: Error, Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable {
        /// A PKCS#11 function answered an error.
        case function = 1
        /// The module could not be loaded or initialised.
        case notLoaded = 2
        /// The token in the slot is another one, or none.
        case tokenGone = 3
        /// The key is not on the token, or cannot be seen.
        case keyNotFound = 4
        /// The process is not logged in to the token.
        case notLoggedIn = 5
        /// A person did not confirm, or not in time: the session is still logged in.
        case gesture = 6
        /// No mechanism that the service takes works with the key.
        case mechanism = 7
        /// The token's answer made no sense.
        case nonsense = 8
        /// The agent and the worker do not understand each other.
        case `protocol` = 9
        /// The module may be inconsistent, or has not recovered in a new session: only a new process is sure to help.
        case broken = 10
        /// Other programs hold all sessions that the token has.
        case busy = 11
        /// The key or the token's policy forbids it: somebody must change that.
        case forbidden = 12

        /// What another attempt needs to fare better.
        package var retry: Retry {
            switch self {
            case .broken, .nonsense: .newWorker
            case .notLoggedIn: .login
            case .gesture: .person
            case .busy: .pause
            case .tokenGone: .token
            case .function, .notLoaded, .keyNotFound, .mechanism, .protocol, .forbidden: .change
            }
        }
    }

    /// What another attempt needs, from who or what failed.
    package enum Retry: Hashable, Sendable {
        /// Another process of the module, which is started by itself: this one must not be used any more.
        case newWorker
        /// A login.
        case login
        /// A person at the token, who touches it this time.
        case person
        /// A few seconds, in which others may let go of the token.
        case pause
        /// The token, back in its slot.
        case token
        /// A change of the token, the module or the configuration: by itself it fails in the same way.
        case change
    }

    /// What another attempt needs. Never another PIN: whether one may have cost a try is `leavesPINInDoubt`.
    package var retry: Retry { kind.retry }

    package var kind: Kind
    /// The code of the PKCS#11 function, where there is one.
    package var returnValue: UInt64?
    /// One line: the function and its code by name, or the linker's reason.
    package var text: String
    /// A PIN was sent, and what became of it is not known: it may have cost a try.
    package var leavesPINInDoubt: Bool

    package init(_ kind: Kind, returnValue: UInt64? = nil, text: String, leavesPINInDoubt: Bool = false) {
        self.leavesPINInDoubt = leavesPINInDoubt
        self.kind = kind
        self.returnValue = returnValue
        self.text = text
    }
}
