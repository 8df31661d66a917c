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

    init(_ session: IssuedSession) {
        let grant = session.grant
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
