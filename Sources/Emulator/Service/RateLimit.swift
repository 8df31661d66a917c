import Glibc

/// A bucket that fills at a steady rate and holds one second's worth.
struct RateLimit: Sendable {
    private let perSecond: Double
    private var level: Double
    private var filledAt: Double

    init(perSecond: Int) {
        self.perSecond = Double(perSecond)
        level = Double(perSecond)
        filledAt = Self.seconds()
    }

    mutating func admits() -> Bool {
        let now = Self.seconds()
        level = min(perSecond, level + (now - filledAt) * perSecond)
        filledAt = now
        guard level >= 1 else { return false }
        level -= 1
        return true
    }

    private static func seconds() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
