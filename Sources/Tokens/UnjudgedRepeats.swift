/// How often a stored PIN that the token had taken before was sent again and not judged. A login that a crash cuts short
/// costs no try if the PIN is still right, which is not known: it may have been changed on the card.
struct UnjudgedRepeats: Hashable, Sendable {
    private static let hour: Int64 = 3_600_000
    private static let mostInAnHour = 3
    /// In milliseconds of boot time.
    private var times: [Int64] = []

    /// Notes one more.
    ///
    /// - Returns: Whether the PIN may be sent once more by itself. If that is not judged either, it is for a person.
    mutating func note(at now: Int64) -> Bool {
        times = times.filter { now - $0 < Self.hour } + [now]
        return times.count <= Self.mostInAnHour
    }
}
