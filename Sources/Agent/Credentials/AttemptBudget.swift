import DequeModule

/// The starts of a profile's attempts. It allows 60 in any hour and 500 in any 24 hours.
struct AttemptBudget: Sendable {
    /// The purpose of an attempt.
    enum Share: Sendable {
        /// Attempts that the profile needs: refreshes in the background, and for callers without credentials.
        case whole
        /// A refresh that the agent's owner forces: up to half.
        case owner
        /// One that another user forces: up to a quarter for all of them, which takes nothing from the owner's half.
        case others
    }

    private struct Start {
        /// Boot time in milliseconds.
        let boot: Int64
        let share: Share
    }

    private static let perHour = 60
    private static let perDay = 500
    /// Oldest first, never more than a day's worth.
    private var starts: Deque<Start> = []

    /// What `nextAllowed` gives: it is asked for at each look at the clocks, and only a start changes it.
    private var allowed = (whole: Int64.min, owner: Int64.min, others: Int64.min)

    mutating func record(_ boot: Int64, _ share: Share) {
        if starts.count == Self.perDay { starts.removeFirst() }
        starts.append(Start(boot: boot, share: share))
        allowed.whole = nextAllowed(oneIn: 1) { _ in true }
        allowed.owner = max(allowed.whole, nextAllowed(oneIn: 2) { $0 != .others })
        allowed.others = max(nextAllowed(oneIn: 2) { _ in true }, nextAllowed(oneIn: 4) { $0 == .others })
    }

    /// The boot time from which another attempt is allowed; it may be past.
    func nextAllowed(_ share: Share) -> Int64 {
        switch share {
        case .whole: allowed.whole
        case .owner: allowed.owner
        case .others: allowed.others
        }
    }

    /// When another attempt is allowed if one in `divisor` may be for these shares.
    private func nextAllowed(oneIn divisor: Int, for counts: (Share) -> Bool) -> Int64 {
        let counted = starts.filter { counts($0.share) }.map(\.boot)
        return max(
            Self.windowEnd(of: Self.perHour / divisor, in: counted, milliseconds: 3_600_000),
            Self.windowEnd(of: Self.perDay / divisor, in: counted, milliseconds: 86_400_000))
    }

    /// When the last `count` starts no longer fit into one window of that length.
    private static func windowEnd(of count: Int, in starts: [Int64], milliseconds: Int64) -> Int64 {
        starts.count < count ? .min : starts[starts.count - count] + milliseconds + 1
    }
}
