/// Temporary AWS credentials, as a service has issued them. They print as `‹redacted›`.
package struct SessionCredentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let accessKeyID: String
    package let secretAccessKey: String
    package let sessionToken: String
    /// Seconds since 1970-01-01T00:00:00Z.
    package let expiration: Int64
    /// The twelve digits of the account that the role belongs to; nil where the service does not tell.
    package let accountID: String?

    package init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String, expiration: Int64, accountID: String?
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
        self.accountID = accountID
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
}

extension SessionCredentials: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: []) }
}
