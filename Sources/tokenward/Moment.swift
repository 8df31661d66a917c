import Glibc
import UTCTime

/// A time that the agent told of, and how far away it is.
struct Moment {
    private let time: UTCTime

    /// - Parameter text: RFC 3339; nil for anything else.
    init?(_ text: String?) {
        guard let text, let time = UTCTime(rfc3339: text) else { return nil }
        self.time = time
    }

    /// Whole days left; negative once it has passed.
    var daysLeft: Int { Int((Double(secondsLeft) / 86400).rounded(.down)) }

    /// Such as `in 43 min` or `2 h 5 min ago`.
    var distance: String {
        let seconds = secondsLeft
        return seconds >= 0 ? "in \(Self.span(seconds))" : "\(Self.span(-seconds)) ago"
    }

    /// Negative once it has passed.
    var secondsLeft: Int64 { time.secondsSince1970 - Int64(Glibc.time(nil)) }

    /// A length of time in its two greatest units.
    static func span(_ seconds: Int64) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min"
        case ..<86400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: "\(seconds / 86400) d \(seconds / 3600 % 24) h"
        }
    }
}
