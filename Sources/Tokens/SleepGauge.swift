import Clocks

/// Notices that the machine has slept: boot time goes on meanwhile, monotonic time does not (clock_gettime(2)).
struct SleepGauge: Sendable {
    private var asleep: Int64

    /// Less than this is the time between the two readings.
    private static let shortest: Int64 = 2000

    init(_ clock: AgentClock) { asleep = clock.boot() - clock.awake() }

    /// Whether there was a sleep since the last time that this was asked.
    mutating func hasSlept(_ clock: AgentClock) -> Bool {
        let now = clock.boot() - clock.awake()
        guard now - asleep > Self.shortest else { return false }
        asleep = now
        return true
    }
}
