/// What a CreateSession request is granted.
struct SessionGrant: Sendable {
    let role: ResourceName
    let sessionName: String
    let sourceIdentity: String
    let subjectARN: String
    /// The session's tags, none of them transitive.
    var tags: [String: String] = [:]
    let expiration: UTCTime

    var assumedRoleARN: String { assumedARN(role, sessionName) }
    var assumedRoleID: String { assumedID(role, sessionName) }
}

/// The characters of AWS key ids.
enum AccessKeyAlphabet {
    /// One character for each byte.
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        return String(bytes.map { alphabet[Int($0 & 31)] })
    }
}

/// Credentials that this emulator has issued, and whom they are for.
struct IssuedSession: Sendable {
    let accessKeyID: String
    let secretAccessKey: String
    let sessionToken: String
    let identity: CallerIdentity
    let expiration: UTCTime
    /// What later sessions of this one have as well.
    let attributes: SessionAttributes

    /// Shaped like the real ones: `ASIA` and 16 characters, 40 characters, some 600 characters.
    init(_ identity: CallerIdentity, expiration: UTCTime, attributes: SessionAttributes) {
        accessKeyID = "ASIA" + AccessKeyAlphabet.encode(Self.randomBytes(16))
        secretAccessKey = Base64.encode(Self.randomBytes(30))
        sessionToken = Base64.encode(Self.randomBytes(450))
        self.identity = identity
        self.expiration = expiration
        self.attributes = attributes
    }

    init(_ grant: SessionGrant) {
        self.init(
            CallerIdentity(arn: grant.assumedRoleARN, userID: grant.assumedRoleID, account: grant.role.account),
            expiration: grant.expiration,
            attributes: SessionAttributes(
                roleARN: grant.role.text, sourceIdentity: grant.sourceIdentity, tags: grant.tags))
    }

    /// From the system's generator, which is fit for keys.
    private static func randomBytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255) } }
}

/// What a session is beside its name.
struct SessionAttributes: Sendable {
    /// Nil for a session of a user.
    var roleARN: String?
    /// Stays the same through a chain of roles.
    var sourceIdentity: String?
    var tags: [String: String] = [:]
    /// The tags that sessions of this one have as well.
    var transitiveTagKeys: Set<String> = []
    var hasMFA = false
}

/// The sessions that STS answers for. The oldest goes when there are too many.
struct SessionTable: Sendable {
    private var sessions: [String: IssuedSession] = [:]
    private var order: [String] = []
    private let capacity = 20_000

    subscript(accessKeyID: String) -> IssuedSession? { sessions[accessKeyID] }

    mutating func insert(_ session: IssuedSession) {
        sessions[session.accessKeyID] = session
        order.append(session.accessKeyID)
        guard order.count > capacity else { return }
        for key in order.prefix(capacity / 2) { sessions[key] = nil }
        order.removeFirst(capacity / 2)
    }
}

/// The JSON of a 201 (API reference, CreateSession). A fault may leave members out.
struct CreateSessionAnswer: Encodable {
    struct AssumedRoleUser: Encodable {
        var arn: String
        var assumedRoleId: String
    }

    struct Credentials: Encodable {
        var accessKeyId: String?
        var secretAccessKey: String?
        var sessionToken: String?
        var expiration: String?

        mutating func remove(_ field: String) {
            switch field {
            case "accessKeyId": accessKeyId = nil
            case "sessionToken": sessionToken = nil
            case "expiration": expiration = nil
            default: secretAccessKey = nil
            }
        }
    }

    struct CredentialSet: Encodable {
        var assumedRoleUser: AssumedRoleUser
        var credentials: Credentials
        /// Per cent of what STS allows for policies and tags; nothing here has a policy.
        var packedPolicySize = 10
        var roleArn: String
        var sourceIdentity: String
    }

    var credentialSet: [CredentialSet]
    var subjectArn: String

    init(_ session: IssuedSession, _ grant: SessionGrant) {
        credentialSet = [
            CredentialSet(
                assumedRoleUser: AssumedRoleUser(arn: grant.assumedRoleARN, assumedRoleId: grant.assumedRoleID),
                credentials: Credentials(
                    accessKeyId: session.accessKeyID, secretAccessKey: session.secretAccessKey,
                    sessionToken: session.sessionToken, expiration: grant.expiration.extended),
                roleArn: grant.role.text, sourceIdentity: grant.sourceIdentity)
        ]
        subjectArn = grant.subjectARN
    }
}
