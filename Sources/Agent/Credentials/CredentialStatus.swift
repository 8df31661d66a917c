package import AgentAPI

/// The state of a profile in the cache, for `status`.
package struct CredentialStatus: Hashable, Sendable {
    /// Of the session that is held, in seconds since 1970; nil without one.
    package var expiration: Int64?
    package var accessKeyID: String?
    package var isLocked: Bool
    package var isRefreshing: Bool
    /// Callers that wait for the refresh.
    package var waiting: Int
    /// Why the last attempt failed; nil since one did not.
    package var lastError: Problem?
    /// When the next attempt is planned, in seconds since 1970; nil if that takes a caller, or a change of the token.
    package var nextAttempt: Int64?
    /// When the next caller causes an attempt if nothing else has before, in seconds since 1970; nil without a session.
    package var nextNeeded: Int64?
}
