import Testing

@testable import RolesAnywhere

@Suite struct JSONParserTests {
    @Test("A text of every kind of value is read")
    func values() throws {
        let json = try JSONParser.parse(
            Array(#" {"a" : [1, -0.5e+3, true, false, null, [], {}], "b":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"} "#.utf8)
        )
        #expect(
            json
                == .object([
                    "a": .array([
                        .number("1"), .number("-0.5e+3"), .bool(true), .bool(false), .null, .array([]), .object([:]),
                    ]),
                    "b": .string("\"\\/\u{8}\u{C}\n\r\té😀é"),
                ]))
    }

    // Of https://github.com/nst/JSONTestSuite: texts that a reader must refuse.
    @Test(
        "What is not JSON is refused",
        arguments: [
            "", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
            "{'a':1}", "{\"a\":1 \"b\":2}", "]", "}", "1 1", "[1]]", "tru", "nul", "True", "NaN", "Infinity", "+1",
            "01", "-", "-01", "1.", ".5", "1e", "1e+", "0x1", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\n\"", "\"\\ud800\\ud800\"", "\"a\nb\"", "\"\0\"", "\u{FEFF}1",
            "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "/**/1",
        ])
    func notJSON(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test(
        "Bytes that are not UTF-8 are refused",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC3, 0x22],
        ])
    func notUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONParser.parse(bytes) }
    }

    @Test("Depth and number of values have a limit, and cost no stack")
    func limits() throws {
        let nested = { (depth: Int) in
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        let flat = { (count: Int) in Array(("[" + String(repeating: "1,", count: count - 1) + "1]").utf8) }
        _ = try JSONParser.parse(nested(17))
        _ = try JSONParser.parse(flat(999))
        for bytes in [nested(18), nested(100_000), flat(1000), Array(String(repeating: "[", count: 200_000).utf8)] {
            #expect(throws: JSONError.self) { try JSONParser.parse(bytes) }
        }
    }
}
