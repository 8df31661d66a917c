import AgentAPI

/// How the tokens and the callers are, as far as that is known at once, for the values that decide.
struct CacheSurroundings: Sendable {
    /// Whether the tokens of a profile without a base are locked.
    let isLocked: @Sendable (ProfileName) -> Bool
    /// Whether a new session of a profile without a base takes a touch or a PIN; nil where that is not known yet.
    let needsPerson: @Sendable (ProfileName) -> Bool?
    /// Whether a caller has got the session that is held.
    let isUsed: @Sendable (ProfileName) -> Bool
    /// Where jitter comes from.
    let random: @Sendable (ClosedRange<Int64>) -> Int64
    /// How long a caller waits for a new session while the old one is still valid, in milliseconds.
    let patience: Int64
}
