/// A moment to the second, which prints as RFC 3339 in UTC: `2026-11-21T10:00:00Z`.
package struct UTCTimestamp: Hashable, Sendable, CustomStringConvertible {
    package let secondsSince1970: Int64

    /// Moments outside the years 0 to 9999, which RFC 3339 cannot print, become the nearest inside.
    package init(secondsSince1970: Int64) {
        self.secondsSince1970 = min(max(secondsSince1970, -62_167_219_200), 253_402_300_799)
    }

    package var description: String {
        let (days, second) = secondsSince1970.flooredQuotientAndRemainder(by: 86_400)
        // Days to year, month, day, after H. Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years
        // that begin on the first of March, so that the leap day comes last.
        let (era, dayOfEra) = (days + 719_468).flooredQuotientAndRemainder(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(padded(year, to: 4))-\(padded(month, to: 2))-\(padded(day, to: 2))"
        let time = "\(padded(second / 3600, to: 2)):\(padded(second / 60 % 60, to: 2)):\(padded(second % 60, to: 2))"
        return "\(date)T\(time)Z"
    }
}

private func padded(_ number: Int64, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

extension Int64 {
    fileprivate func flooredQuotientAndRemainder(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
