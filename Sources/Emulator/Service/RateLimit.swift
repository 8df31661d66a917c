/// A bucket that fills at a steady rate and holds one second's worth.
struct RateLimit: Sendable {
    private let perSecond: Double
    private var level: Double
    private var filledAt = ContinuousClock.now

    init(perSecond: Int) {
        self.perSecond = Double(perSecond)
        level = Double(perSecond)
    }

    mutating func admits() -> Bool {
        let now = ContinuousClock.now
        level = min(perSecond, level + (now - filledAt) / .seconds(1) * perSecond)
        filledAt = now
        guard level >= 1 else { return false }
        level -= 1
        return true
    }
}
