import AgentAPI

/// The state of a profile in the cache, for `status`.
package struct CredentialStatus {
    /// Of the session that is held, in seconds since 1970; nil without one.
    let expiration: Int64?
    let isRefreshing: Bool
    /// Callers that wait for the refresh.
    let waiting: Int
    /// Why the last attempt failed; nil since one did not.
    let lastError: Problem?
    /// When the next attempt is planned, in seconds since 1970; nil if that takes a caller, or a change of the token.
    let nextAttempt: Int64?
    /// When the next caller causes an attempt if nothing else has before, in seconds since 1970; nil without a session.
    let nextNeeded: Int64?
    /// The fallback whose sessions callers get.
    let standIn: ProfileName?
}
