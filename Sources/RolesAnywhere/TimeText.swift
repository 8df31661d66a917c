extension CivilTime {
    /// SigV4's `yyyyMMdd`.
    var basicDate: String { "\(Self.padded(year, 4))\(Self.padded(month, 2))\(Self.padded(day, 2))" }

    /// SigV4's `yyyyMMdd'T'HHmmss'Z'`.
    var basicDateTime: String {
        "\(basicDate)T\(Self.padded(hour, 2))\(Self.padded(minute, 2))\(Self.padded(second, 2))Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

/// Moments as services write them, read into seconds since 1970.
package enum TimeText {
    /// RFC 3339 §5.6: a date and a time with `Z` or an offset. Fractions of a second are dropped.
    package static func rfc3339(_ text: String) -> Int64? {
        var reader = Reader(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("T") || reader.take("t"), let hour = reader.number(2),
            reader.take(":"), let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
            reader.skipFraction(), let offset = reader.offset(), reader.isAtEnd
        else { return nil }
        let time = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        return time.map { $0.unixSeconds - Int64(offset) }
    }

    /// RFC 9110 §5.6.7 IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`; the obsolete forms are not read.
    package static func httpDate(_ text: String) -> Int64? {
        var reader = Reader(text)
        guard reader.name(of: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]) != nil, reader.take(","),
            reader.take(" "), let day = reader.number(2), reader.take(" "), let month = reader.name(of: months),
            reader.take(" "), let year = reader.number(4), reader.take(" "), let hour = reader.number(2),
            reader.take(":"), let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
            reader.take(" "), reader.name(of: ["GMT"]) != nil, reader.isAtEnd
        else { return nil }
        return CivilTime(year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)?
            .unixSeconds
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

private struct Reader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// Exactly this many digits.
    mutating func number(_ width: Int) -> Int? {
        let digits = rest.prefix(width)
        guard digits.count == width, digits.allSatisfy(ASCII.isDigit) else { return nil }
        rest.removeFirst(width)
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    mutating func name(of names: [String]) -> Int? {
        guard let index = names.firstIndex(where: { rest.starts(with: $0.utf8) }) else { return nil }
        rest.removeFirst(3)
        return index
    }

    mutating func skipFraction() -> Bool {
        guard take(".") else { return true }
        let digits = rest.prefix(while: ASCII.isDigit)
        rest.removeFirst(digits.count)
        return (1...9).contains(digits.count)
    }

    /// `Z` or `±hh:mm`, in seconds.
    mutating func offset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = number(2), hours < 24, take(":"), let minutes = number(2), minutes < 60 else {
            return nil
        }
        return sign * (hours * 3600 + minutes * 60)
    }
}
