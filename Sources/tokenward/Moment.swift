import FoundationEssentials

/// A time that the agent told of, and how far away it is.
struct Moment {
    private let date: Date

    /// - Parameter text: RFC 3339; nil for anything else.
    init?(_ text: String?) {
        guard let text, let date = try? Date(text, strategy: .iso8601) else { return nil }  // shown as unknown
        self.date = date
    }

    /// Whole days left; negative once it has passed.
    var daysLeft: Int { Int((date.timeIntervalSinceNow / 86400).rounded(.down)) }

    /// Such as `in 43 min` or `2 h 5 min ago`.
    var distance: String {
        let seconds = Int64(date.timeIntervalSinceNow)
        return seconds >= 0 ? "in \(Span(seconds: seconds))" : "\(Span(seconds: -seconds)) ago"
    }

    /// A length of time in its two greatest units.
    struct Span: CustomStringConvertible {
        let seconds: Int64

        var description: String {
            switch seconds {
            case ..<60: "\(seconds) s"
            case ..<3600: "\(seconds / 60) min"
            case ..<86400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
            default: "\(seconds / 86400) d \(seconds / 3600 % 24) h"
            }
        }
    }
}
