import PKCS11
import TokenService

/// What one signing thread holds: a session for each token that it has signed on.
struct SigningLane {
    private var tokens: OpenTokens

    init(module: LoadedModule) { tokens = OpenTokens(module: module) }

    /// Signs, and once more with a new session where the old one had gone stale: never a third time.
    mutating func sign(_ request: SignRequest) -> Reply {
        tokens.renew()
        var login = ContextLogin(for: request, pins: tokens.module.heldPINs)
        do throws(PKCS11Error) {
            return .signature(try attempt(request, &login))
        } catch {
            guard error.saysStale, !login.wasSent else { return answer(error, request, login) }
        }
        do throws(PKCS11Error) {
            return .signature(try attempt(request, &login))
        } catch {
            return answer(error, request, login)
        }
    }

    private mutating func answer(_ error: PKCS11Error, _ request: SignRequest, _ login: ContextLogin) -> Reply {
        if let refusal = login.refusal { .login(refusal) } else { .failed(explain(error, request.token)) }
    }

    private mutating func attempt(
        _ request: SignRequest, _ login: inout ContextLogin
    ) throws(PKCS11Error) -> [UInt8] {
        do throws(PKCS11Error) {
            return try tokens.open(request.token).sign(request) { (token) throws(PKCS11Error) in
                try login.perform(on: token)
            }
        } catch {
            // An operation may be left open, and no module ends one but by the end of its session.
            if !error.leavesLoginInDoubt { tokens.close(slot: request.token.slotID) }
            throw error
        }
    }

    private mutating func explain(_ error: PKCS11Error, _ reference: TokenReference) -> WorkerFailure {
        let isLoggedIn = try? tokens[reference]?.isLoggedIn()  // an error here adds nothing
        let hasWaited = tokens[reference]?.hasWaited == true
        tokens.close(slot: reference.slotID)
        var failure = WorkerFailure(error, isLoggedIn: isLoggedIn)
        // OpenSC forgets the login over a touch that did not come. A login that was lost says so at once.
        if hasWaited, case .failed("C_Sign", .userNotLoggedIn) = error { failure.kind = .gesture }
        return failure
    }
}

extension PKCS11Error {
    /// The session or the handle is stale: a new one may do (3.3 of the fault catalogue: RESESSION, REFIND).
    var saysStale: Bool {
        switch returnValue {
        case .sessionHandleInvalid?, .sessionClosed?, .objectHandleInvalid?, .keyHandleInvalid?, .operationActive?,
            .operationNotInitialized?:
            true
        default: false
        }
    }

    /// A key that is not seen, or not to be used: the session must be asked whether it is logged in.
    fileprivate var leavesLoginInDoubt: Bool {
        if case .notFound = self { return true }
        return returnValue == .userNotLoggedIn
    }
}

extension WorkerFailure {
    /// - Parameter isLoggedIn: What C_GetSessionInfo said, where it was asked. CKR_USER_NOT_LOGGED_IN in a session that is
    ///   logged in means a touch that did not come, or a key that wants its PIN each time: never a lost login.
    init(_ error: PKCS11Error, isLoggedIn: Bool? = nil) {
        let kind: Kind =
            switch error {
            case .notLoaded: .notLoaded
            case .noMechanism: .mechanism
            case .notAuthorized: .notLoggedIn
            case .overLimit, .nonsense: .nonsense
            case .notFound(let what) where what.hasPrefix("the token"): .tokenGone
            case .notFound: isLoggedIn == false ? .notLoggedIn : .keyNotFound
            case .failed(_, .userNotLoggedIn): isLoggedIn == true ? .gesture : .notLoggedIn
            case .failed(_, .functionCanceled), .failed(_, .functionRejected): .gesture
            case .failed(_, .deviceRemoved), .failed(_, .tokenNotPresent), .failed(_, .tokenNotRecognized),
                .failed(_, .slotIDInvalid):
                .tokenGone
            case .failed: .function
            }
        self.init(kind, returnValue: error.returnValue.map { UInt64($0.rawValue) }, text: "\(error)")
    }
}
