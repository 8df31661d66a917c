import PKCS11
import TokenService

/// What one signing thread holds: a session for each token that it has signed on.
struct SigningLane {
    private let module: LoadedModule
    private var tokens: SessionTable<OpenToken, PKCS11Error>

    init(module: LoadedModule) {
        self.module = module
        tokens = module.sessionTable()
    }

    mutating func answer(_ request: Request, _ place: LogOuts.Place) -> Reply {
        switch request {
        case .sign(let request): sign(request, place)
        case .dateKey(let request): dateKey(request, place)
        case .load, .list, .logIn, .logOut, .presence, .renewSessions, .readers, .registeredModules, .management:
            .failed(WorkerFailure(.protocol, text: "a thread that signs is asked for nothing else"))
        }
    }

    /// Signs, and once more with a new session where the old one had gone stale: never a third time.
    ///
    /// - Returns: `.notLoggedIn` where a request to log out has come after this one and before the signature was begun.
    private mutating func sign(_ request: SignRequest, _ place: LogOuts.Place) -> Reply {
        if place.isOvertaken { return .failed(WorkerFailure(.interrupted)) }
        tokens.renew()
        var login = OperationLogin(for: request, place, with: module)
        do throws(PKCS11Error) {
            return .signature(try attempt(request, place, &login))
        } catch {
            guard error.isWorthRepeating, !login.wasSent else { return answer(error, request, login) }
        }
        do throws(PKCS11Error) {
            return .signature(try attempt(request, place, &login))
        } catch {
            return answer(error, request, login, isRepeated: true)
        }
    }

    /// Closes what no request needs at this moment.
    mutating func closeIdleSessions() { tokens.closeAll { _, _ in true } }

    private mutating func answer(
        _ error: PKCS11Error, _ request: SignRequest, _ login: OperationLogin, isRepeated: Bool = false
    ) -> Reply {
        if let refusal = login.refusal { return .login(refusal) }
        return .failed(failure(of: error, request.token, isRepeated: isRepeated))
    }

    private mutating func failure(
        of error: PKCS11Error, _ reference: TokenReference, isRepeated: Bool
    ) -> WorkerFailure {
        let token = tokens[reference]
        let isLoggedIn: Bool? =
            if case .notFound = error { token?.hasLookedLoggedIn } else {
                try? token?.isLoggedIn()  // an error here adds nothing
            }
        tokens.close(slot: reference.slotID)
        return WorkerFailure(
            error, in: .init(isLoggedIn: isLoggedIn, isRepeated: isRepeated, hasWaited: token?.hasWaited == true))
    }

    /// The same for a date key, which needs no login of its own: PKCS#11 has CKA_ALWAYS_AUTHENTICATE for private keys alone.
    private mutating func dateKey(_ request: DateKeyRequest, _ place: LogOuts.Place) -> Reply {
        if place.isOvertaken { return .failed(WorkerFailure(.interrupted)) }
        tokens.renew()
        var isRepeated = false
        while true {
            do throws(PKCS11Error) {
                return .dateKey(try tokens.open(request.token).dateKey(request, place))
            } catch {
                guard error.isWorthRepeating, !isRepeated else {
                    return .failed(failure(of: error, request.token, isRepeated: isRepeated))
                }
                tokens.close(slot: request.token.slotID)
                isRepeated = true
            }
        }
    }

    private mutating func attempt(
        _ request: SignRequest, _ place: LogOuts.Place, _ login: inout OperationLogin
    ) throws(PKCS11Error) -> [UInt8] {
        do throws(PKCS11Error) {
            return try tokens.open(request.token).sign(request, place) { (token) throws(PKCS11Error) in
                try login.perform(on: token)
            }
        } catch {
            // An operation may be left open, and no module ends one but by the end of its session.
            if !error.leavesLoginInDoubt { tokens.close(slot: request.token.slotID) }
            throw error
        }
    }
}

/// The login that a key with CKA_ALWAYS_AUTHENTICATE asks for at each signature: its PIN goes to the one operation that
/// was just begun.
private struct OperationLogin {
    private let request: LoginRequest
    private let place: LogOuts.Place
    private let module: LoadedModule
    /// The module was asked, so that nothing may be repeated: the PIN would be sent again.
    private(set) var wasSent = false
    /// Why there is no signature.
    private(set) var refusal: LoginOutcome?

    init(for request: SignRequest, _ place: LogOuts.Place, with module: LoadedModule) {
        self.place = place
        self.request = LoginRequest(
            token: request.token, source: request.source, refused: request.refused,
            mayBeReserved: request.mayBeReserved)
        self.module = module
    }

    /// Logs in between C_SignInit and C_Sign.
    ///
    /// - Throws: `.notAuthorized` where `refusal` has the reason; `.interrupted` where a request to log out came first; else
    ///   what is no fault of the PIN.
    mutating func perform(on token: OpenToken) throws(PKCS11Error) {
        let (request, place, module) = (request, place, module)
        var attempt = module.pins.withLock { LoginAttempt(request, for: .operation, $0) }
        defer { wasSent = attempt.wasSent }
        let typed = request.source == .typed ? module.pins.withLock { $0.pin(for: request.token.token) } : nil
        let outcome = try unsafe attempt.carryOut(
            on: token, of: module, typed: typed, isOver: { module.agent.isOver || place.isOvertaken },
            send: { (pin) throws(PKCS11Error) in try unsafe token.logInForOperation(pin: pin) }
        ).outcome
        module.pins.withLock { $0.noteOperation(outcome, request) }
        switch outcome {
        case .loggedIn, .notNeeded: return
        case .refused where place.isOvertaken: throw .interrupted
        case .refused, .rejected:
            refusal = outcome
            throw .notAuthorized
        }
    }
}
