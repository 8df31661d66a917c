import AgentAPI
import Testing

@Suite struct UTCTimestampTests {
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
        #expect(UTCTimestamp(secondsSince1970: seconds).description == expected)
    }
}
