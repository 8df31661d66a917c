import PKCS11
import TokenService

/// What one signing thread holds: a session for each token that it has signed on.
struct SigningLane {
    private var tokens: OpenTokens

    init(module: LoadedModule) { tokens = OpenTokens(module: module) }

    /// Signs, and once more with a new session where the old one had gone stale: never a third time.
    mutating func sign(_ request: SignRequest) -> Reply {
        tokens.renew()
        var login = ContextLogin(for: request, with: tokens.module)
        do throws(PKCS11Error) {
            return .signature(try attempt(request, &login))
        } catch {
            guard error.isWorthRepeating, !login.wasSent else { return answer(error, request, login) }
        }
        do throws(PKCS11Error) {
            return .signature(try attempt(request, &login))
        } catch {
            return answer(error, request, login, isRepeated: true)
        }
    }

    /// Closes what no request needs at this moment.
    mutating func closeIdleSessions() { tokens.closeAll { _ in true } }

    private mutating func answer(
        _ error: PKCS11Error, _ request: SignRequest, _ login: ContextLogin, isRepeated: Bool = false
    ) -> Reply {
        if let refusal = login.refusal { return .login(refusal) }
        return .failed(explain(error, request.token, isRepeated: isRepeated))
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

    private mutating func explain(
        _ error: PKCS11Error, _ reference: TokenReference, isRepeated: Bool
    ) -> WorkerFailure {
        let isLoggedIn: Bool? =
            if case .notFound = error { tokens[reference]?.hasLookedLoggedIn } else {
                try? tokens[reference]?.isLoggedIn()  // an error here adds nothing
            }
        let hasWaited = tokens[reference]?.hasWaited == true
        tokens.close(slot: reference.slotID)
        var failure = WorkerFailure(error, isLoggedIn: isLoggedIn, isRepeated: isRepeated)
        if case .failed(.logIn, let code) = error { failure.leavesPINInDoubt = code.mayHaveCostATry }
        // OpenSC forgets the login over a touch that did not come. A login that was lost says so at once.
        if hasWaited, case .failed(.sign, .userNotLoggedIn) = error { failure.kind = .gesture }
        return failure
    }
}
