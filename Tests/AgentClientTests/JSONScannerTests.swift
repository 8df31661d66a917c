import Testing

@testable import AgentClient

/// The texts are those of RFC 8259 and of JSONTestSuite (https://github.com/nst/JSONTestSuite): `y_` and `n_` cases.
@Suite("Scanning JSON")
struct JSONScannerTests {
    @Test(
        "What RFC 8259 allows is taken",
        arguments: [
            "{}", "[]", " [ ] ", "\t{\r\n}\n", "0", "-0", "1.5", "-1.25e+10", "1E5", "0e1",
            "123456789012345678901234567890",
            "\"\"", "\"a\\u0041\\n\\/\"", "true", "false", "null", "[1,2,3]", "[[[]],{}]",
            "{\"a\":{\"b\":[1,{\"c\":null}]}}",
            "{\"a\":1,\"a\":2}", "\"\\ud800\"", "\"\u{7f}\"", "[\"\\u0000\"]", "{\"\":0}",
        ])
    func valid(text: String) throws {
        try JSONScanner.validate(Array(text.utf8).span)
    }

    @Test(
        "What RFC 8259 forbids is refused",
        arguments: [
            "", " ", "{", "[", "]", "}", "[}", "{]", "[1,]", "[,1]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
            "{a:1}", "{'a':1}", "[1 2]", "[1}", "{\"a\":1]", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN",
            "nul", "True", "truex", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\t\"", "{}{}",
            "[] x", "\u{feff}{}", "// c\n{}", "[\"a\u{0}b\"]",
        ])
    func invalid(text: String) {
        #expect(throws: JSONFault.self) { try JSONScanner.validate(Array(text.utf8).span) }
    }

    @Test("Depth is bounded, and a million brackets cost no stack")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: UInt8(ascii: "["), count: depth) + Array(repeating: UInt8(ascii: "]"), count: depth)
        }
        try JSONScanner.validate(nested(32).span)
        #expect(throws: JSONFault.self) { try JSONScanner.validate(nested(33).span) }
        #expect(throws: JSONFault.self) { try JSONScanner.validate(nested(1_000_000).span) }
    }

    @Test(
        "A member is found by its name, in any spelling, on the top level alone",
        arguments: [
            ("{\"detail\":\"x\"}", "\"x\""),
            ("{ \"a\" : [ {\"detail\":1} ] , \"detail\" : 7 }", "7"),
            ("{\"d\\u0065tail\":{\"b\":[]},\"z\":0}", "{\"b\":[]}"),
            ("{\"a\":{\"detail\":1}}", nil), ("{}", nil), ("{\"Detail\":1}", nil), ("{\"detail \":1}", nil),
        ] as [(String, String?)])
    func member(text: String, value: String?) throws {
        let bytes = Array(text.utf8)
        let range = try JSONScanner.member("detail", of: bytes.span)
        #expect(range.map { String(decoding: bytes[$0], as: UTF8.self) } == value)
    }

    @Test(
        "A member that stands twice, and what is no object, is refused",
        arguments: ["{\"detail\":1,\"detail\":1}", "[]", "\"detail\"", "{\"detail\":1}x", "{\"detail\":1", ""])
    func ambiguous(text: String) {
        #expect(throws: JSONFault.self) { try JSONScanner.member("detail", of: Array(text.utf8).span) }
    }

    /// Expected values are those of Python's `json.loads`, but for half pairs, which it keeps.
    @Test(
        "Escapes become the characters that they name",
        arguments: [
            (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{c}\n\r\tz"), (#""\u00e9\u20AC""#, "é€"),
            (#""\ud83d\ude00""#, "😀"),
            (#""\ud83d""#, "\u{fffd}"), (#""\ud83dx""#, "\u{fffd}x"), (#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (#""\ud83d\u0041""#, "\u{fffd}A"), (#""\u0000""#, "\u{0}"), (#""日本""#, "日本"),
            (#""\uD7FF\uE000""#, "\u{d7ff}\u{e000}"),
            (#""""#, ""),
        ])
    func decode(text: String, value: String) throws {
        let bytes = Array(text.utf8)
        try JSONScanner.validate(bytes.span)
        #expect(JSONString.decode(bytes.span, 0..<bytes.count) == Array(value.utf8))
    }
}
