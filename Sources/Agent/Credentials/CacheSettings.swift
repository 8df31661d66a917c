import Clocks
import ServiceAnswers

/// The cache's settings and dependencies.
package struct CacheSettings: Sendable {
    var clock = AgentClock.system
    /// Where jitter comes from.
    var random: @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) }
    /// Makes the bytes that clients get.
    var render: @Sendable (SessionCredentials) -> [UInt8]
    /// Makes the bytes that clients of an endpoint get.
    var renderForEndpoint: @Sendable (SessionCredentials) -> [UInt8] = { _ in [] }
    /// How long a caller waits for a new session while the old one is still valid, in milliseconds.
    var patience: Int64 = 5_000
    /// How long a caller waits at all, in milliseconds: what the thin client waits for by default.
    var answerWithin: Int64 = 50_000
    /// Called when callers of a profile get a fallback's sessions from now on, or (nil) its own again. It must not wait.
    var noteStandIn: @Sendable (ProfileName, _ standIn: ProfileName?) -> Void = { _, _ in }
}
