import Clocks

/// The readings of both clocks at one moment, in milliseconds.
struct Moment: Hashable, Sendable {
    /// Since 1970.
    var wall: Int64
    /// Since boot, time asleep included.
    var boot: Int64

    /// True if the wall clock was set between the two moments: 30 seconds of drift is no drift.
    func isSetApart(from earlier: Moment) -> Bool {
        abs((wall - boot) - (earlier.wall - earlier.boot)) > 30_000
    }

    /// Whole seconds to a boot time, at least one, for `Retry-After`.
    func seconds(until boot: Int64) -> Int { Int(max(1, (boot - self.boot + 999) / 1000)) }
}

extension AgentClock {
    func now() -> Moment { Moment(wall: wall(), boot: boot()) }
}
