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

/// How long a session may be handed out, by both clocks: expired by either is expired, so that setting the wall clock
/// back gains nothing.
struct SessionValidity: Hashable, Sendable {
    /// A session with less than this left is not handed out; in milliseconds.
    static let leastHandedOut: Int64 = 60_000
    /// The longest role session that AWS grants, 12 hours, and ten minutes for clocks that differ.
    private static let longestLifetime: Int64 = 43_800_000

    private let wallExpiry: Int64
    private let bootDeadline: Int64
    /// The time left at receipt, in milliseconds.
    let lifetime: Int64

    /// Nil if `expiration`, in seconds since 1970, is past, too near or too far to be believed.
    init?(expiration: Int64, receivedAt now: Moment) {
        let (expiry, isTooFar) = expiration.multipliedReportingOverflow(by: 1000)
        guard !isTooFar, expiry > now.wall, expiry - now.wall >= Self.leastHandedOut,
            expiry - now.wall <= Self.longestLifetime
        else { return nil }
        lifetime = expiry - now.wall
        wallExpiry = expiry
        bootDeadline = now.boot + lifetime
    }

    /// Milliseconds; zero or less when expired.
    func remaining(at now: Moment) -> Int64 { min(wallExpiry - now.wall, bootDeadline - now.boot) }

    func canBeHandedOut(at now: Moment) -> Bool { remaining(at: now) >= Self.leastHandedOut }

    /// Whether no caller needs to wait for a better session.
    ///
    /// - Parameter lenientUntil: Until this boot time the shortest validity will do, because the service gives nothing better.
    func isReady(at now: Moment, lenientUntil: Int64) -> Bool {
        let least = now.boot < lenientUntil ? Self.leastHandedOut : max(floor, Self.leastHandedOut)
        return remaining(at: now) >= least
    }

    /// The least validity that callers get while the service answers: 20 minutes, because SDKs take less than 15 for
    /// stale; half of a session that is too short for that.
    var floor: Int64 { min(1_200_000, lifetime / 2) }

    /// How much is left when the refresh starts: the larger of 20 minutes and a third, at most half, and up to a tenth
    /// more. The first minute of that tenth is not left to chance: the refresh takes its time above the floor.
    func refreshLead(random: (ClosedRange<Int64>) -> Int64) -> Int64 {
        let threshold = min(lifetime / 2, max(1_200_000, lifetime / 3))
        return threshold + random(min(60_000, lifetime / 20)...lifetime / 10)
    }
}
