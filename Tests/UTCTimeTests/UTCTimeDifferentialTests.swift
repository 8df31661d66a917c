import Differential
import Foundation
import Testing
import UTCTime

/// The calendar beside Python's.
@Suite struct UTCTimeDifferentialTests {
    @Test("Our calendar and Python's datetime print the same 12,000 moments alike, and read them back")
    func printing() throws {
        let seconds = Self.moments
        let answers = try Python.answers(
            """
            import datetime, email.utils, sys
            for line in sys.stdin:
                moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=int(line))
                text = moment.isoformat()[:19]
                print(text + "Z", text.replace("-", "").replace(":", "") + "Z", email.utils.format_datetime(moment, True),
                      sep="\t")
            """, to: Data(seconds.map { "\($0)\n" }.joined().utf8))
        try #require(answers.count == seconds.count)
        for (second, answer) in zip(seconds, answers) {
            let texts = answer.split(separator: "\t").map(String.init)
            let time = UTCTime(secondsSince1970: second)
            #expect([time.description, time.basic] == Array(texts[..<2]))
            #expect(UTCTime(rfc3339: texts[0]) == time)
            #expect(UTCTime(httpDate: texts[2]) == time)
        }
    }

    @Test("Our calendar and Python's datetime accept the same of 20,000 dates and times, and read the same moment")
    func reading() throws {
        var generator = SplitMix64(seed: 1)
        let texts = (0..<20_000).map { _ in Self.text(using: &generator) }
        let answers = try Python.answers(
            """
            import datetime, sys
            epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
            for line in sys.stdin:
                try:
                    print((datetime.datetime.fromisoformat(line.strip()) - epoch) // datetime.timedelta(seconds=1))
                except (ValueError, OverflowError):
                    print("refused")
            """, to: Data(texts.map { "\($0)\n" }.joined().utf8))
        try #require(answers.count == texts.count)
        var refused = 0
        for (text, answer) in zip(texts, answers) {
            #expect(UTCTime(rfc3339: text)?.secondsSince1970 == Int64(answer), "\(text)")
            if answer == "refused" { refused += 1 }
        }
        #expect((2000...18_000).contains(refused))
    }

    /// Random ones from the year 1 to 9999, and the seconds about each end of February and of the year.
    private static var moments: [Int64] {
        var generator = SplitMix64(seed: 1)
        let random = (0..<10_000).map { _ in Int64.random(in: -62_135_596_800...253_402_300_799, using: &generator) }
        let starts = ["01-01", "02-28", "02-29", "03-01"].flatMap { day in
            [4, 100, 400, 1582, 1600, 1700, 1900, 1969, 1970, 1972, 2000, 2024, 2100, 2400, 9996, 9999].compactMap {
                year in
                UTCTime(rfc3339: "\(String(repeating: "0", count: 4 - "\(year)".count))\(year)-\(day)T00:00:00Z")?
                    .secondsSince1970
            }
        }
        return random
            + starts.flatMap { start in (-20...20).map { start + $0 * 4320 } }.filter {
                (-62_135_596_800...253_402_300_799).contains($0)
            }
    }

    /// A date and a time that often does not exist. Where Python's versions differ (24:00) or it differs from RFC 3339 (it
    /// has neither a second of 60 nor a year 0), tests of their own stand in for it.
    private static func text(using generator: inout some RandomNumberGenerator) -> String {
        func number(_ range: ClosedRange<Int>, _ width: Int) -> String {
            let digits = "\(Int.random(in: range, using: &generator))"
            return String(repeating: "0", count: width - digits.count) + digits
        }
        let date = "\(number(1...9998, 4))-\(number(0...13, 2))-\(number(0...32, 2))"
        let second = [59, 59, 59, 99].randomElement(using: &generator) ?? 59
        let time =
            "\(number(0...25, 2).replacing("24", with: "25")):\(number(0...60, 2)):\(number(0...second, 2).replacing("60", with: "61"))"
        let fraction = ["", "", ".5", ".123456"].randomElement(using: &generator) ?? ""
        let sign = ["+", "-"].randomElement(using: &generator) ?? "+"
        let offset = ["Z", "\(sign)\(number(0...24, 2)):\(number(0...59, 2))"].randomElement(using: &generator) ?? "Z"
        return "\(date)T\(time)\(fraction)\(offset)"
    }
}
