import AgentAPI
import TokenService

/// The operations that the server asks of the rest of the agent. Each ends within its own deadline; hanging up cancels
/// none of them, but a change of a token is not begun any more.
struct AgentOperations: Sendable {
    typealias Unlock =
        @Sendable (_ uri: String, _ pin: HeldPIN?, _ isFromLogin: Bool) async throws(Problem) -> Void

    /// Fresh credentials from memory, or nil. Called on the server's threads, so it must not wait.
    var cachedCredentials: @Sendable (ProfileName) -> IssuedCredentials?
    var credentials: @Sendable (ProfileName) async throws(Problem) -> IssuedCredentials
    /// Credentials that are held, or at once why there are none; they are obtained beside it where no person has to act.
    var heldCredentials: @Sendable (ProfileName) async throws(Problem) -> IssuedCredentials
    /// Credentials of a new session; the owner has a share of the attempts apart from that of other users.
    var refresh: @Sendable (ProfileName, _ isOwner: Bool) async throws(Problem) -> IssuedCredentials
    var explain: @Sendable (ProfileName) async throws(Problem) -> [ExplainedCandidate]
    var profiles: @Sendable () async throws(Problem) -> [ProfileStatus]
    var identities: @Sendable () async throws(Problem) -> [IdentityListing]
    var tokens: @Sendable () async throws(Problem) -> [TokenListing]
    /// Logs in to the tokens that the URI matches, with the stored PIN where none is given. The URI is as it arrived.
    /// `isFromLogin`: the PIN was typed at a login to the workstation, not for this token.
    var unlock: Unlock
    /// Locks the tokens that the URI matches, or all. The URI is as it arrived.
    var lock: @Sendable (_ uri: String?) async throws(Problem) -> Void
    /// Reads the configuration again; throws its faults.
    var reload: @Sendable () async throws(Problem) -> Void
    var status: @Sendable () async throws(Problem) -> Status
    var certificates: CertificateOperations
    var keys: KeyOperations
    /// Takes note of what a peer was told in the place of the profile's credentials. Called on the server's threads, so it
    /// must not wait.
    var noteRefusal: @Sendable (Problem, ProfileName, Peer) -> Void = { _, _, _ in }
}

/// The management of certificates.
struct CertificateOperations: Sendable {
    /// Those on the tokens that the URI matches. The URI is as it arrived.
    var find: @Sendable (_ uri: String) async throws(Problem) -> [CertificateListing]
    /// A certificate request that a token's key has signed, as PEM. The texts are as they arrived.
    var request: @Sendable (CertificateRequestBody) async throws(Problem) -> String
    var install: @Sendable (CertificateInstallBody) async throws(Problem) -> CertificateInstallListing
    var remove: @Sendable (CertificateRemovalBody) async throws(Problem) -> Void
}

/// The management of keys.
struct KeyOperations: Sendable {
    var list: @Sendable () async throws(Problem) -> [KeyListing]
    var generate: @Sendable (KeyGenerationBody) async throws(Problem) -> KeyListing
    var bring: @Sendable (KeyImportBody) async throws(Problem) -> KeyImportListing
    var verify: @Sendable (KeyBody) async throws(Problem) -> KeyListing
    var destroy: @Sendable (KeyBody) async throws(Problem) -> KeyListing
}

/// Credentials as they leave the agent. They print as `‹redacted›`.
struct IssuedCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `CredentialDocument.render`.
    let json: [UInt8]
    /// Makes `endpointJSON`.
    private let renderForEndpoint: @Sendable () -> [UInt8]
    /// Their text in the audit log.
    let audited: AuditRecord.Issued

    /// - Parameter profiles: The profile that they were obtained for, then those whose sessions they were made of.
    init(
        json: [UInt8], endpointJSON: @autoclosure @escaping @Sendable () -> [UInt8], accessKeyID: String,
        expiration: Int64, profiles: [ProfileName] = []
    ) {
        self.json = json
        renderForEndpoint = endpointJSON
        audited = AuditRecord.Issued(accessKeyID: accessKeyID, expiration: expiration, profiles: profiles)
    }

    /// `CredentialDocument.renderForEndpoint`, made anew each time, so that it is in memory for no longer than it takes to send it.
    var endpointJSON: [UInt8] { renderForEndpoint() }

    var description: String { "‹redacted›" }
    var debugDescription: String { "‹redacted›" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
