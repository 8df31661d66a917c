package import Clocks
package import RolesAnywhere

/// The cache's settings and dependencies.
package struct CacheSettings: Sendable {
    package var clock: AgentClock
    /// Where jitter comes from.
    package var random: @Sendable (ClosedRange<Int64>) -> Int64
    /// Makes the bytes that clients get.
    package var render: @Sendable (SessionCredentials) -> [UInt8]
    /// How long a caller waits for a better session than the one that could still be had, in milliseconds.
    package var patience: Int64 = 5_000
    /// How long a caller waits at all, in milliseconds: what the thin client waits for by default.
    package var answerWithin: Int64 = 50_000

    package init(
        clock: AgentClock = .system,
        random: @escaping @Sendable (ClosedRange<Int64>) -> Int64 = { Int64.random(in: $0) },
        render: @escaping @Sendable (SessionCredentials) -> [UInt8]
    ) {
        self.clock = clock
        self.random = random
        self.render = render
    }
}
