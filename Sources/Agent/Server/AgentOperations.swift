package import AgentAPI
package import TokenService

/// The operations that the server asks of the rest of the agent. Each ends within its own deadline; hanging up cancels
/// none of them.
package struct AgentOperations: Sendable {
    package typealias Unlock =
        @Sendable (_ uri: String, _ pin: HeldPIN?, _ isFromLogin: Bool) async throws(Problem) -> Void

    /// Fresh credentials from memory, or nil. Called on the server's threads, so it must not wait.
    package var cachedCredentials: @Sendable (ProfileName) -> IssuedCredentials?
    package var credentials: @Sendable (ProfileName) async throws(Problem) -> IssuedCredentials
    /// Credentials of a new session; the owner has a share of the attempts apart from that of other users.
    package var refresh: @Sendable (ProfileName, _ isOwner: Bool) async throws(Problem) -> IssuedCredentials
    package var explain: @Sendable (ProfileName) async throws(Problem) -> [ExplainedCandidate]
    package var profiles: @Sendable () async throws(Problem) -> [ProfileStatus]
    package var identities: @Sendable () async throws(Problem) -> [IdentityListing]
    package var tokens: @Sendable () async throws(Problem) -> [TokenListing]
    /// Logs in to the tokens that the URI matches, with the stored PIN where none is given. The URI is as it arrived.
    /// `isFromLogin`: the PIN was typed at a login to the workstation, not for this token.
    package var unlock: Unlock
    /// Locks the tokens that the URI matches, or all. The URI is as it arrived.
    package var lock: @Sendable (_ uri: String?) async throws(Problem) -> Void
    /// Reads the configuration again; throws its faults.
    package var reload: @Sendable () async throws(Problem) -> Void
    package var status: @Sendable () async throws(Problem) -> Status
    /// Takes note of what a peer was told in the place of the profile's credentials. Called on the server's threads, so it
    /// must not wait.
    package var noteRefusal: @Sendable (Problem, ProfileName, Peer) -> Void

    package init(
        cachedCredentials: @escaping @Sendable (ProfileName) -> IssuedCredentials?,
        credentials: @escaping @Sendable (ProfileName) async throws(Problem) -> IssuedCredentials,
        refresh: @escaping @Sendable (ProfileName, _ isOwner: Bool) async throws(Problem) -> IssuedCredentials,
        explain: @escaping @Sendable (ProfileName) async throws(Problem) -> [ExplainedCandidate],
        profiles: @escaping @Sendable () async throws(Problem) -> [ProfileStatus],
        identities: @escaping @Sendable () async throws(Problem) -> [IdentityListing],
        tokens: @escaping @Sendable () async throws(Problem) -> [TokenListing],
        unlock: @escaping Unlock,
        lock: @escaping @Sendable (_ uri: String?) async throws(Problem) -> Void,
        reload: @escaping @Sendable () async throws(Problem) -> Void,
        status: @escaping @Sendable () async throws(Problem) -> Status,
        noteRefusal: @escaping @Sendable (Problem, ProfileName, Peer) -> Void = { _, _, _ in }
    ) {
        self.cachedCredentials = cachedCredentials
        self.credentials = credentials
        self.refresh = refresh
        self.explain = explain
        self.profiles = profiles
        self.identities = identities
        self.tokens = tokens
        self.unlock = unlock
        self.lock = lock
        self.reload = reload
        self.status = status
        self.noteRefusal = noteRefusal
    }
}

/// Credentials as they leave the agent. They print as `‹redacted›`.
package struct IssuedCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `CredentialDocument`.
    package let json: [UInt8]
    /// Their text in the audit log.
    package let audited: AuditRecord.Issued

    package init(json: [UInt8], accessKeyID: String, expiration: Int64) {
        self.json = json
        audited = AuditRecord.Issued(accessKeyID: accessKeyID, expiration: expiration)
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
