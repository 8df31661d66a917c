package import AgentAPI
package import Files
package import ServiceAnswers

/// Where the profiles' sessions come from: AWS, or a test's script. Chains are the cache's business.
package protocol CredentialSource: Sendable {
    /// Obtains a new session; one call is one attempt. It looks at `Task.isCancelled`, and has deadlines of its own.
    ///
    /// - Parameter base: The session of the profile's base, where it has one. A problem with `Retry.base` says that the service
    ///   does not take it.
    func credentials(
        for profile: ProfileName, on occasion: Occasion, from base: SessionKey?
    ) async throws(Problem) -> SessionCredentials
    /// Whether the tokens of a profile without a base are locked: no session is obtained, and none is handed out.
    func isLocked(_ profile: ProfileName) -> Bool
    /// Whether a new session of a profile without a base takes a touch or a PIN; nil where that is not known yet. Where it takes one, or may, none is
    /// obtained in the background.
    func needsPerson(for profile: ProfileName) -> Bool?
    /// The files that an attempt reads, as they are now: with others a refusal may have lost its cause.
    func files(of profile: ProfileName) async -> [FileStamp?]
}

/// Why a session is obtained, which decides whom that may bother.
package enum Occasion: Sendable {
    /// A refresh in the background, without a request. No person is there to type or to touch.
    case background
    /// A program waits for it. A card may blink; no keypad is switched on.
    case request
    /// A person has asked for a new session by name.
    case demand
    /// Another user's program waits for it, and that user may not have a person act.
    case foreign
}
