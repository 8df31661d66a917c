package import AgentAPI
package import RolesAnywhere

/// Where a profile's sessions come from: Roles Anywhere, or a test's script.
package protocol CredentialSource: Sendable {
    /// Obtains a new session; one call is one attempt. It looks at `Task.isCancelled`, and has deadlines of its own.
    func credentials(
        for profile: ProfileName, on occasion: Occasion
    ) async throws(SourceFailure) -> SessionCredentials
    /// Whether a new session takes a touch or a PIN, or may take one: then none is obtained before somebody asks for it.
    func needsPerson(for profile: ProfileName) -> Bool
}

/// Why a source has no session, and when another attempt could fare better.
package struct SourceFailure: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Trying again may help: network, throttling, a fault of the service. `retryAfter` is the service's own
        /// wish in seconds (RFC 9110 §10.2.3); more than ten minutes count as ten.
        case transient(retryAfter: Int?)
        /// Nothing helps but a change of the configuration, the certificate or the clock.
        case permanent
        /// The token needs something first: its PIN, or to be there. No attempt until its state has changed.
        case state
        /// A human did not touch the token, or refused. Nobody is asked again in the background, nor within a minute
        /// while what is held will do; who has nothing, or asks for a new session by name, may ask again.
        case gesture
    }
    package var problem: Problem
    package var kind: Kind

    package init(_ kind: Kind, _ problem: Problem) {
        self.kind = kind
        self.problem = problem
    }
}
