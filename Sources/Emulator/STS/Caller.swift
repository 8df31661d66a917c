/// A user of IAM with an access key that lasts.
struct IAMUser: Sendable {
    let name: ResourceName
    let accessKeyID: String
    let secretAccessKey: String
    var mfa: MFADevice?

    /// The same for one user every time.
    var id: String { "AIDA" + AccessKeyAlphabet.encode(Digest.sha256(Array(name.text.utf8)).prefix(17)) }
}

/// Who has signed a request.
enum Caller: Sendable {
    case user(IAMUser)
    case session(IssuedSession)

    var secretAccessKey: String {
        switch self {
        case .user(let user): user.secretAccessKey
        case .session(let session): session.secretAccessKey
        }
    }

    var sessionToken: String? {
        guard case .session(let session) = self else { return nil }
        return session.sessionToken
    }

    var expiration: UTCTime? {
        guard case .session(let session) = self else { return nil }
        return session.expiration
    }

    var identity: CallerIdentity {
        switch self {
        case .user(let user): CallerIdentity(arn: user.name.text, userID: user.id, account: user.name.account)
        case .session(let session): session.identity
        }
    }

    var session: IssuedSession? {
        guard case .session(let session) = self else { return nil }
        return session
    }
}

/// As GetCallerIdentity tells it.
struct CallerIdentity: Sendable {
    let arn: String
    let userID: String
    let account: String
}

/// All who can sign.
struct Callers: Sendable {
    var users: [IAMUser] = []
    var sessions = SessionTable()

    subscript(accessKeyID: String) -> Caller? {
        if let session = sessions[accessKeyID] { return .session(session) }
        return users.first { $0.accessKeyID == accessKeyID }.map(Caller.user)
    }
}
