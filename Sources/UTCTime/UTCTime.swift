import Encodings

/// A moment in UTC by the proleptic Gregorian calendar, to the second, in the years 0000 to 9999, which RFC 3339 can write.
package struct UTCTime: Hashable, Comparable, Sendable {
    package let secondsSince1970: Int64

    /// A moment outside the years 0000 to 9999 becomes the nearest inside.
    package init(secondsSince1970: Int64) {
        self.secondsSince1970 = min(max(secondsSince1970, Self.first), Self.last)
    }

    package static func < (left: Self, right: Self) -> Bool { left.secondsSince1970 < right.secondsSince1970 }

    private static let first: Int64 = -62_167_219_200
    private static let last: Int64 = 253_402_300_799
}

extension UTCTime: CustomStringConvertible {
    /// RFC 3339, such as `2026-11-21T10:00:51Z`.
    package var description: String { filling("0000-00-00T00:00:00Z") }

    /// ISO 8601's basic format, which AWS Signature Version 4 wants: `20231001T120000Z`.
    package var basic: String { filling("00000000T000000Z") }

    /// `pattern` with the digits of year, month, day, hour, minute and second in the place of its fourteen zeros.
    private func filling(_ pattern: String) -> String {
        let (days, second) = secondsSince1970.flooredDivision(by: 86_400)
        let (year, month, day) = Self.date(ofDay: days)
        var number = ((year * 100 + month) * 100 + day) * 1_000_000
        number += second / 3600 * 10_000 + second / 60 % 60 * 100 + second % 60
        var text = Array(pattern.utf8)
        for index in text.indices.reversed() where text[index] == UInt8(ascii: "0") {
            text[index] += UInt8(number % 10)
            number /= 10
        }
        return String(decoding: text, as: UTF8.self)
    }
}

// Times as other programs write them. Each initializer gives nil for another form, for a moment that does not exist,
// and for one outside the years 0000 to 9999. A second of 60 is a leap second, and counts as the next minute's first.
extension UTCTime {
    /// RFC 3339 §5.6: a date and a time with `Z` or an offset. A fraction of a second, of nine digits at most, is dropped.
    package init?(rfc3339 text: String) {
        var reader = TimeReader(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("T") || reader.take("t"), let second = reader.clock(),
            reader.skipFraction(), let offset = reader.offset(), reader.isAtEnd
        else { return nil }
        self.init(year, month, day, second: second - offset)
    }

    /// RFC 9110 §5.6.7 IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`; the obsolete forms are not read.
    package init?(httpDate text: String) {
        var reader = TimeReader(text)
        guard reader.name(of: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]) != nil, reader.take(", "),
            let day = reader.number(2), reader.take(" "), let month = reader.name(of: Self.months), reader.take(" "),
            let year = reader.number(4), reader.take(" "), let second = reader.clock(), reader.take(" GMT"),
            reader.isAtEnd
        else { return nil }
        self.init(year, month + 1, day, second: second)
    }

    private static var months: [String] {
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    }

    private init?(_ year: Int64, _ month: Int64, _ day: Int64, second: Int64) {
        guard let days = Self.day(year, month, day) else { return nil }
        let seconds = days * 86_400 + second
        guard (Self.first...Self.last).contains(seconds) else { return nil }
        secondsSince1970 = seconds
    }
}

// The calendar: H. Hinnant, "chrono-compatible low-level date algorithms". Eras of 400 years begin on the first of March, so
// that the leap day comes last.
extension UTCTime {
    /// - Parameter day: Counted from 1970-01-01.
    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (day + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    /// The day counted from 1970-01-01; nil for a date that does not exist.
    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        let (era, yearOfEra) = (month <= 2 ? year - 1 : year).flooredDivision(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let number = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return date(ofDay: number) == (year, month, day) ? number : nil
    }
}

/// The pieces that a time is written with, read from left to right.
private struct TimeReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest.removeFirst(text.utf8.count)
        return true
    }

    /// Exactly this many decimal digits.
    mutating func number(_ width: Int) -> Int64? {
        let digits = rest.prefix(width)
        guard digits.count == width, digits.allSatisfy({ $0.isDigit }) else { return nil }
        rest.removeFirst(width)
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// `hh:mm:ss` as the second of the day; the second may be 60.
    mutating func clock() -> Int64? {
        guard let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60, take(":"),
            let second = number(2), second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// The place of the name that comes next among `names`, which have three letters each.
    mutating func name(of names: [String]) -> Int64? {
        guard let index = names.firstIndex(where: { rest.starts(with: $0.utf8) }) else { return nil }
        rest.removeFirst(3)
        return Int64(index)
    }

    mutating func skipFraction() -> Bool {
        guard take(".") else { return true }
        let digits = rest.prefix(while: { $0.isDigit })
        rest.removeFirst(digits.count)
        return (1...9).contains(digits.count)
    }

    /// `Z` or `±hh:mm`, in seconds.
    mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let sign: Int64 = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = number(2), hours < 24, take(":"), let minutes = number(2), minutes < 60 else {
            return nil
        }
        return sign * (hours * 3600 + minutes * 60)
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
