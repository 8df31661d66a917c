/// A good answer of STS, in the shape of the API reference's examples. A fault may leave members out.
struct STSAnswer {
    let action: String
    let session: IssuedSession?
    var identity: CallerIdentity?
    var assumedRole: CallerIdentity?
    var accessKeyID: String?
    var secretAccessKey: String?
    var sessionToken: String?
    var expiration: String?
    var packedPolicySize: Int?
    var sourceIdentity: String?

    init(action: String, session: IssuedSession) {
        self.action = action
        self.session = session
        accessKeyID = session.accessKeyID
        secretAccessKey = session.secretAccessKey
        sessionToken = session.sessionToken
        expiration = session.expiration.extended
    }

    /// GetCallerIdentity's.
    init(_ identity: CallerIdentity) {
        action = "GetCallerIdentity"
        session = nil
        self.identity = identity
    }

    var xml: String {
        var result: [String] = []
        if let identity {
            result = Self.elements([
                ("Arn", identity.arn), ("UserId", identity.userID), ("Account", identity.account),
            ])
        }
        if let assumedRole {
            result += Self.wrapped(
                "AssumedRoleUser", Self.elements([("AssumedRoleId", assumedRole.userID), ("Arn", assumedRole.arn)]))
        }
        if session != nil {
            result += Self.wrapped(
                "Credentials",
                Self.elements([
                    ("AccessKeyId", accessKeyID), ("SecretAccessKey", secretAccessKey), ("SessionToken", sessionToken),
                    ("Expiration", expiration),
                ]))
        }
        result += Self.elements([
            ("PackedPolicySize", packedPolicySize.map(String.init)), ("SourceIdentity", sourceIdentity),
        ])
        let body =
            Self.wrapped("\(action)Result", result)
            + Self.wrapped("ResponseMetadata", Self.elements([("RequestId", UUIDText.random())]))
        return "<\(action)Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
            + body.map { "  \($0)\n" }.joined() + "</\(action)Response>\n"
    }

    private static func elements(_ members: [(name: String, text: String?)]) -> [String] {
        members.compactMap { member in
            member.text.map { "<\(member.name)>\(XMLText.escape($0))</\(member.name)>" }
        }
    }

    private static func wrapped(_ name: String, _ lines: [String]) -> [String] {
        ["<\(name)>"] + lines.map { "  \($0)" } + ["</\(name)>"]
    }
}
