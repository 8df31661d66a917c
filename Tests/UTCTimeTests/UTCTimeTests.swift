import Testing
import UTCTime

@Suite struct UTCTimeTests {
    /// Expected values: `date -u -d @SECONDS +%FT%TZ` of GNU coreutils.
    @Test(
        "A moment prints as RFC 3339 in UTC",
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (Int64.max, "9999-12-31T23:59:59Z"),
            (Int64.min, "0000-01-01T00:00:00Z"),
        ] as [(Int64, String)])
    func prints(seconds: Int64, expected: String) {
        #expect(UTCTime(secondsSince1970: seconds).description == expected)
    }

    // datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=…)
    @Test(
        "A moment prints in the format of AWS Signature Version 4",
        arguments: [
            (0, "19700101T000000Z"), (951_782_400, "20000229T000000Z"), (1_696_161_600, "20231001T120000Z"),
            (4_107_542_399, "21000228T235959Z"), (-2_208_988_800, "19000101T000000Z"),
        ] as [(Int64, String)])
    func basic(seconds: Int64, expected: String) {
        #expect(UTCTime(secondsSince1970: seconds).basic == expected)
    }

    @Test("Each day from 1600 to 2400 is read as it was printed")
    func roundTrip() {
        var failures = 0
        for day in Int64(-135_139)...157_053 {
            let time = UTCTime(secondsSince1970: day * 86_400 + 43_200)
            if UTCTime(rfc3339: time.description) != time { failures += 1 }
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
        ] as [(String, Int64)])
    func rfc3339(text: String, seconds: Int64) {
        #expect(UTCTime(rfc3339: text)?.secondsSince1970 == seconds)
    }

    @Test(
        "A text that is not quite RFC 3339 is not read",
        arguments: [
            "", "2022-07-27", "2022-07-27T04:36:55", "2022-07-27 04:36:55Z", "2022-7-27T04:36:55Z",
            "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2022-13-01T00:00:00Z", "2022-00-01T00:00:00Z",
            "2022-04-31T00:00:00Z", "2022-04-00T00:00:00Z", "2022-07-27T24:00:00Z", "2022-07-27T00:60:00Z",
            "2022-07-27T00:00:61Z", "2022-07-27T00:00:00.Z", "2022-07-27T00:00:00.0123456789Z",
            "2022-07-27T00:00:00+0900", "2022-07-27T00:00:00+24:00", "2022-07-27T00:00:00ZZ",
            "+022-07-27T00:00:00Z", "２022-07-27T00:00:00Z", " 2022-07-27T00:00:00Z", "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z",
        ])
    func notRFC3339(text: String) {
        #expect(UTCTime(rfc3339: text) == nil)
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
        #expect(UTCTime(httpDate: text)?.secondsSince1970 == seconds)
    }
}
