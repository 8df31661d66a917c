import Testing

@testable import ServiceAnswers

@Suite struct ClockSkewTests {
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
