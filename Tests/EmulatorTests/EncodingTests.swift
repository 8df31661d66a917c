import Testing

@testable import Emulator

@Suite("Encodings")
struct EncodingTests {
    /// RFC 4648 §10.
    @Test(
        "Base64 goes both ways",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test(
        "What is no canonical base64 is refused",
        arguments: ["Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9=v", "Zm 9v", "Zm9v\n", "Zm-_", "Zm8é"])
    func badBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(
        "Percent-decoding takes two hex digits and nothing less",
        arguments: [("a%20b", "a b"), ("%", nil), ("%2", nil), ("%zz", nil), ("%C3%A9", "é"), ("a+b", "a+b")])
    func percent(text: String, decoded: String?) {
        #expect(PercentEncoding.decode(text) == decoded.map { Array($0.utf8) })
    }

    /// By `date -u -d @N` of GNU coreutils.
    @Test(
        "A time has three forms",
        arguments: [
            (0, "19700101T000000Z", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "20000228T235959Z", "2000-02-28T23:59:59Z", "Mon, 28 Feb 2000 23:59:59 GMT"),
            (1_696_161_600, "20231001T120000Z", "2023-10-01T12:00:00Z", "Sun, 01 Oct 2023 12:00:00 GMT"),
            (4_102_444_800, "21000101T000000Z", "2100-01-01T00:00:00Z", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ])
    func time(seconds: Int64, basic: String, extended: String, http: String) {
        let time = UTCTime(secondsSince1970: seconds)
        #expect(time.basic == basic)
        #expect(time.extended == extended)
        #expect(time.httpDate == http)
        #expect(UTCTime(basic: basic) == time)
    }

    @Test(
        "A time that does not exist is refused",
        arguments: [
            "", "20231001T120000", "20231001 120000Z", "20231301T120000Z", "20230231T120000Z", "20231001T240000Z",
            "20231001T126000Z", "2023-10-01T12:00:00Z", "+0231001T120000Z", "20231001T120000z",
        ])
    func badTime(text: String) {
        #expect(UTCTime(basic: text) == nil)
    }

    /// By `uuid.UUID(bytes=…, version=4)` of python.
    @Test("A UUID has its version and variant")
    func uuid() {
        #expect(UUIDText.make(of: Array(0..<16)) == "00010203-0405-4607-8809-0a0b0c0d0e0f")
    }
}
