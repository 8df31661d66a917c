import Glibc

/// A moment in UTC, to the second.
package struct UTCTime: Hashable, Sendable {
    package let secondsSince1970: Int64

    package init(secondsSince1970: Int64) {
        self.secondsSince1970 = secondsSince1970
    }

    /// Reads `yyyyMMdd'T'HHmmss'Z'`; nil for another form and for moments that do not exist.
    init?(basic text: String) {
        let characters = Array(text.utf8)
        guard characters.count == 16 else { return nil }
        func number(_ range: Range<Int>) -> Int32? { Int32(String(decoding: characters[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
            let hour = number(9..<11), let minute = number(11..<13), let second = number(13..<15)
        else { return nil }
        var fields = unsafe tm()
        unsafe fields.tm_year = year - 1900
        unsafe fields.tm_mon = month - 1
        unsafe fields.tm_mday = day
        unsafe fields.tm_hour = hour
        unsafe fields.tm_min = minute
        unsafe fields.tm_sec = second
        secondsSince1970 = Int64(unsafe timegm(&fields))
        // timegm takes 31 February for 3 March; whoever wrote that did not write a date.
        guard basic == text else { return nil }
    }

    package func advanced(by seconds: Int) -> UTCTime {
        UTCTime(secondsSince1970: secondsSince1970 + Int64(seconds))
    }
}

extension UTCTime {
    package static var now: UTCTime { UTCTime(secondsSince1970: Int64(time(nil))) }

    /// `20231001T120000Z`
    var basic: String {
        let fields = fields
        return digits(fields.year, 4) + digits(fields.month, 2) + digits(fields.day, 2) + "T"
            + digits(fields.hour, 2) + digits(fields.minute, 2) + digits(fields.second, 2) + "Z"
    }

    /// `2023-10-01T12:00:00Z` (RFC 3339)
    var extended: String {
        let fields = fields
        return "\(digits(fields.year, 4))-\(digits(fields.month, 2))-\(digits(fields.day, 2))T" + clock(fields) + "Z"
    }

    /// `Sun, 01 Oct 2023 12:00:00 GMT` (RFC 9110 §5.6.7)
    var httpDate: String {
        let fields = fields
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(days[fields.weekday]), \(digits(fields.day, 2)) \(months[fields.month - 1]) "
            + "\(digits(fields.year, 4)) \(clock(fields)) GMT"
    }

    private struct Fields {
        let year, month, day, hour, minute, second, weekday: Int
    }

    private var fields: Fields {
        var seconds = time_t(secondsSince1970)
        var fields = unsafe tm()
        unsafe gmtime_r(&seconds, &fields)
        return unsafe Fields(
            year: Int(fields.tm_year) + 1900, month: Int(fields.tm_mon) + 1, day: Int(fields.tm_mday),
            hour: Int(fields.tm_hour), minute: Int(fields.tm_min), second: Int(fields.tm_sec),
            weekday: Int(fields.tm_wday))
    }

    private func clock(_ fields: Fields) -> String {
        "\(digits(fields.hour, 2)):\(digits(fields.minute, 2)):\(digits(fields.second, 2))"
    }

    private func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension UTCTime: Comparable {
    package static func < (one: UTCTime, other: UTCTime) -> Bool { one.secondsSince1970 < other.secondsSince1970 }
}
