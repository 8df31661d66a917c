import AgentAPI
import TokenService

/// What a key on a token is asked to make.
enum KeyUse: Hashable, Sendable {
    case signature(SignRequest)
    case dateKey(DateKeyRequest)

    var request: Request {
        switch self {
        case .signature(let request): .sign(request)
        case .dateKey(let request): .dateKey(request)
        }
    }

    var token: TokenReference {
        switch self {
        case .signature(let request): request.token
        case .dateKey(let request): request.token
        }
    }

    /// Where the PIN comes from if the key wants it each time.
    var source: LoginRequest.Source {
        switch self {
        case .signature(let request): request.source
        case .dateKey: .typed  // it never wants it
        }
    }

    /// The same for a token with this rule for its PIN.
    ///
    /// - Parameter refused: The PINs that the token has refused.
    func authorized(
        from source: LoginRequest.Source, mayBeReserved: Bool, refused: [FailedPIN] = []
    ) -> KeyUse {
        guard case .signature(var request) = self else { return self }
        request.source = source
        request.mayBeReserved = mayBeReserved
        request.refused = refused
        return .signature(request)
    }
}

extension ModuleFailure {
    /// What is to be said of a date key alone; nil where the words for signatures fit.
    func problem(of use: KeyUse, on token: FoundToken) -> Problem? {
        guard case .dateKey = use, case .refused(let failure) = self else { return nil }
        let name = token.snapshot.token.displayName
        switch failure.kind {
        case .keyNotFound:
            return Problem(
                .noIdentity, "token \(name, .token) does not show the access key's secret: \(failure.text, .reason)",
                hint:
                    "let secret-key name one secret key (CKK_GENERIC_SECRET) that may sign; 'tokenward list' shows the "
                    + "tokens")
        case .mechanism:
            return Problem(
                .moduleFailed,
                "token \(name, .token) cannot sign with an access key's secret: \(failure.text, .reason)",
                hint: "it takes CKM_SHA256_HMAC with keys of type CKK_GENERIC_SECRET: use another token")
        default: return nil
        }
    }
}
