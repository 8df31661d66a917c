/// The starts of a profile's attempts, so that no fault of anybody makes more than 60 of them in any hour, or 500 in
/// any 24 hours.
struct AttemptBudget: Sendable {
    /// Who asks. What a caller forces may use half, so that it never starves the refresh that all live on.
    enum Share: Sendable { case whole, half }

    private static let perHour = 60
    private static let perDay = 500
    /// Boot time in milliseconds, oldest first, never more than a day's worth.
    private var starts: [Int64] = []

    mutating func record(_ boot: Int64) {
        if starts.count == Self.perDay { starts.removeFirst() }
        starts.append(boot)
    }

    /// The boot time from which another attempt is allowed; it may be past.
    func nextAllowed(_ share: Share) -> Int64 {
        let divisor = share == .whole ? 1 : 2
        return max(
            windowEnd(of: Self.perHour / divisor, milliseconds: 3_600_000),
            windowEnd(of: Self.perDay / divisor, milliseconds: 86_400_000))
    }

    /// When the last `count` starts no longer fit into one window of that length.
    private func windowEnd(of count: Int, milliseconds: Int64) -> Int64 {
        starts.count < count ? .min : starts[starts.count - count] + milliseconds + 1
    }
}
