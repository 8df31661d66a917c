import Testing

@testable import RolesAnywhere

@Suite struct TimeTests {
    // datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=…)
    @Test(
        "Seconds since 1970 become SigV4's date",
        arguments: [
            (0, "19700101T000000Z"), (951_782_400, "20000229T000000Z"), (951_868_800, "20000301T000000Z"),
            (1_696_161_600, "20231001T120000Z"), (1_709_164_800, "20240229T000000Z"),
            (4_107_542_399, "21000228T235959Z"), (-1, "19691231T235959Z"), (-2_208_988_800, "19000101T000000Z"),
            (32_503_680_000, "30000101T000000Z"), (253_402_300_799, "99991231T235959Z"),
            (Int64.max, "99991231T235959Z"), (Int64.min, "00000101T000000Z"),
        ])
    func basicDateTime(seconds: Int64, text: String) {
        #expect(CivilTime(unixSeconds: seconds).basicDateTime == text)
    }

    @Test("Each day from 1600 to 2400 keeps its number there and back, and follows the one before")
    func roundTrip() {
        var previous = CivilTime(unixSeconds: -11_676_096_000)
        var failures = 0
        for day in Int64(-135_139)...157_053 {
            let time = CivilTime(unixSeconds: day * 86_400 + 43_200)
            let isNext = time.day == previous.day + 1 || time.day == 1
            if time.unixSeconds != day * 86_400 + 43_200 || !isNext { failures += 1 }
            previous = time
        }
        #expect(failures == 0)
    }

    // int(datetime.datetime.fromisoformat(text).timestamp() // 1)
    @Test(
        "RFC 3339 times are read",
        arguments: [
            ("2022-07-27T04:36:55Z", 1_658_896_615), ("2022-07-27T04:36:55+00:00", 1_658_896_615),
            ("2022-07-27T04:36:55.123456+09:30", 1_658_862_415), ("1937-01-01T12:00:27.87+00:20", -1_041_337_173),
            ("1990-12-31T15:59:59-08:00", 662_687_999), ("2024-02-29t00:00:00z", 1_709_164_800),
            ("1990-12-31T23:59:60Z", 662_688_000),
        ])
    func rfc3339(text: String, seconds: Int64) {
        #expect(TimeText.rfc3339(text) == seconds)
    }

    @Test(
        "What is not quite RFC 3339 is not read",
        arguments: [
            "", "2022-07-27", "2022-07-27T04:36:55", "2022-07-27 04:36:55Z", "2022-7-27T04:36:55Z",
            "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2022-13-01T00:00:00Z", "2022-00-01T00:00:00Z",
            "2022-04-31T00:00:00Z", "2022-04-00T00:00:00Z", "2022-07-27T24:00:00Z", "2022-07-27T00:60:00Z",
            "2022-07-27T00:00:61Z", "2022-07-27T00:00:00.Z", "2022-07-27T00:00:00.0123456789Z",
            "2022-07-27T00:00:00+0900", "2022-07-27T00:00:00+24:00", "2022-07-27T00:00:00ZZ",
            "+022-07-27T00:00:00Z", "２022-07-27T00:00:00Z", " 2022-07-27T00:00:00Z",
        ])
    func notRFC3339(text: String) {
        #expect(TimeText.rfc3339(text) == nil)
    }

    @Test(
        "Of HTTP's dates only IMF-fixdate is read",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Int64?.some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun Nov  6 08:49:37 1994", nil),
            ("Sun, 06 Nov 1994 08:49:37 UTC", nil), ("Sun, 31 Nov 1994 08:49:37 GMT", nil),
            ("Sun, 6 Nov 1994 08:49:37 GMT", nil), ("06 Nov 1994 08:49:37 GMT", nil), ("", nil),
        ])
    func httpDate(text: String, seconds: Int64?) {
        #expect(TimeText.httpDate(text) == seconds)
    }

    @Test(
        "A clock's skew is told in words",
        arguments: [
            (784_111_777, false, "the clock is 0 seconds fast"), (784_111_837, false, "the clock is 60 seconds fast"),
            (784_111_716, true, "the clock is 61 seconds slow"), (784_112_197, true, "the clock is 7 minutes fast"),
            (784_104_577, true, "the clock is 2 hours slow"), (784_370_977, true, "the clock is 3 days fast"),
            (0, true, "the clock is 9075 days slow"),
        ])
    func skew(now: Int64, isSignificant: Bool, message: String) throws {
        let skew = try #require(ClockSkew(dateHeader: "Sun, 06 Nov 1994 08:49:37 GMT", now: now))
        #expect(skew.isSignificant == isSignificant)
        #expect(skew.message == message)
    }

    @Test("A clock at the end of its range makes no skew")
    func skewOverflow() {
        #expect(ClockSkew(dateHeader: "Mon, 01 Jan 1900 00:00:00 GMT", now: .max) == nil)
    }
}
