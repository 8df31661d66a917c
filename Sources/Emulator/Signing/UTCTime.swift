import FoundationEssentials
import Glibc

/// A moment in UTC, to the second.
package struct UTCTime: Hashable, Comparable, Sendable {
    package let secondsSince1970: Int64

    package init(secondsSince1970: Int64) {
        self.secondsSince1970 = secondsSince1970
    }

    /// Reads `yyyyMMdd'T'HHmmss'Z'`; nil for another form and for moments that do not exist.
    init?(basic text: String) {
        guard let date = try? Self.basicStyle.parse(text) else { return nil }  // the callers give no reason
        secondsSince1970 = Int64(date.timeIntervalSince1970)
        // Foundation takes 31 February for 3 March.
        guard basic == text else { return nil }
    }

    package static var now: UTCTime { UTCTime(secondsSince1970: Int64(time(nil))) }

    package func advanced(by seconds: Int) -> UTCTime {
        UTCTime(secondsSince1970: secondsSince1970 + Int64(seconds))
    }

    package static func < (one: UTCTime, other: UTCTime) -> Bool { one.secondsSince1970 < other.secondsSince1970 }
}

extension UTCTime {
    private static let basicStyle = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)

    private var date: Date { Date(timeIntervalSince1970: Double(secondsSince1970)) }

    /// `20231001T120000Z`
    var basic: String { date.formatted(Self.basicStyle) }

    /// `2023-10-01T12:00:00Z` (RFC 3339)
    var extended: String { date.formatted(.iso8601) }

    /// `Sun, 01 Oct 2023 12:00:00 GMT` (RFC 9110 §5.6.7), by strftime(3): FoundationEssentials has no such form. The locale
    /// stays C's, whose names of days and months are these.
    var httpDate: String {
        var seconds = time_t(secondsSince1970)
        var fields = unsafe tm()
        unsafe gmtime_r(&seconds, &fields)
        var text = [CChar](repeating: 0, count: 64)
        let count = unsafe strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &fields)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
