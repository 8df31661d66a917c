import CLinux

#if !hasFeature(Embedded)
    import Encodings
#endif

/// The moment at which a whole exchange must be over, however long each of its steps takes.
///
/// Time that the machine sleeps does not count (CLOCK_MONOTONIC): the agent slept as well.
package struct Deadline {
    private let end: Int64
    private let milliseconds: Int64

    package init(afterMilliseconds milliseconds: Int64) {
        self.milliseconds = milliseconds
        end = Self.now() + milliseconds
    }

    /// Milliseconds left; 0 when the moment has passed.
    var remaining: Int64 { max(0, end - Self.now()) }

    /// The whole span in seconds, as a person would write it.
    var text: String {
        let fraction = milliseconds % 1000
        if fraction == 0 { return "\(milliseconds / 1000)" }
        let padding = fraction < 10 ? "00" : fraction < 100 ? "0" : ""
        return "\(milliseconds / 1000).\(padding)\(fraction)"
    }

    /// Reads `12` or `0.25` as seconds; nil for anything else, 0, and more than a day.
    package static func milliseconds(_ text: [UInt8]) -> Int64? {
        var milliseconds: Int64 = 0
        var fraction: Int?
        for byte in text {
            if byte == UInt8(ascii: "."), fraction == nil, text.first != byte {
                fraction = 0
                continue
            }
            guard let digit = byte.decimalDigit, milliseconds <= 86_400_000, fraction ?? 0 < 3 else { return nil }
            milliseconds = milliseconds * 10 + Int64(digit)
            fraction = fraction.map { $0 + 1 }
        }
        guard text.last?.decimalDigit != nil else { return nil }
        for _ in (fraction ?? 0)..<3 { milliseconds *= 10 }
        return (1...86_400_000).contains(milliseconds) ? milliseconds : nil
    }

    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
