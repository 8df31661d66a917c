import Testing

@testable import JSON

/// The texts are those of RFC 8259, and what the `y_` and `n_` cases of JSONTestSuite
/// (https://github.com/nst/JSONTestSuite) are about.
@Suite struct JSONReaderTests {
    private func fault(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) -> JSONFault? {
        do throws(JSONFault) {
            try JSONReader.check(bytes.span, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "A text that RFC 8259 allows is taken",
        arguments: [
            "{}", "[]", " [ ] ", "\t{\r\n}\n", "0", "-0", "1.5", "-1.25e+10", "1E5", "0e1", "1e-9", "-0.0E-0",
            "123456789012345678901234567890", "1e999999", "\"\"", "\"a\\u0041\\n\\/\"", "true", "false", "null",
            "[1,2,3]", "[[[]],{}]", "{\"a\":{\"b\":[1,{\"c\":null}]}}", "\"\u{7f}\"", "[\"\\u0000\"]", "{\"\":0}",
            "{\"a\":{\"a\":1},\"b\":{\"a\":1}}", "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"A\":2}", "\"\\ud83d\\ude00\"",
            "\"\\uD7FF\\uE000\\uFFFF\"", "\"\u{10FFFF}\u{FFFE}\u{2028}\"", "{\"\\u0000\":1,\"\":2}",
            "{\"\\ud83d\\ude00\":1,\"\\ud83d\\ude01\":2}",
        ])
    func valid(text: String) {
        #expect(fault(Array(text.utf8)) == nil)
    }

    @Test(
        "A text that RFC 8259 forbids is refused where its fault is",
        arguments: [
            ("", 0), (" ", 1), ("{", 1), ("[", 1), ("]", 0), ("}", 0), ("[}", 1), ("{]", 1), ("[1,]", 3), ("[,1]", 1),
            ("{,}", 1), ("{\"a\"}", 4), ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{'a':1}", 1),
            ("{\"a\":1 \"b\":2}", 7), ("{1:1}", 1), ("{\"a\" 1}", 5), ("{\"a\"::1}", 5), ("{[]:1}", 1), ("[1 2]", 3),
            ("[1}", 2), ("{\"a\":1]", 6), ("[1", 2), ("[1,", 3), ("{\"a\":1", 6), ("[1]]", 3), ("1 1", 2),
            ("{}{}", 2), ("[] x", 3), (",", 0), (":", 0), ("[1,,2]", 3), ("01", 1), ("-", 1), ("-01", 2), ("+1", 0),
            (".5", 0), ("1.", 2), ("1.e1", 2), ("-.5", 1), ("1e", 2), ("1e+", 3), ("1e+-1", 3), ("0x1", 1), ("1_0", 1),
            ("--1", 1), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1), ("nul", 3), ("nulL", 3), ("True", 0),
            ("truex", 4), ("truetrue", 4), ("/**/1", 0), ("// c\n{}", 0), ("\u{FEFF}{}", 0), ("\u{A0}1", 0),
            ("\u{0B}1", 0), ("1\u{0}", 1), ("'a'", 0), ("[1;2]", 2),
        ])
    func invalid(text: String, offset: Int) {
        #expect(fault(Array(text.utf8)) == JSONFault(.unexpected, at: offset))
    }

    @Test(
        "A string has no control characters, no unknown escapes, no halves of pairs, and an end",
        arguments: [
            ("\"", 1), ("\"a", 2), ("\"\\", 1), ("\"\\\"", 3), ("\"\\x\"", 1), ("\"\\U0041\"", 1), ("\"\\a\"", 1),
            ("\"\\'\"", 1), ("\"\\u12\"", 1), ("\"\\u12g4\"", 1), ("\"\\u+123\"", 1), ("\"\\u 123\"", 1),
            ("\"\\u00", 1), ("\"\\ud800\"", 1), ("\"\\udc00\"", 1), ("\"\\ud800\\n\"", 1), ("\"\\ud800\\ud800\"", 1),
            ("\"\\ud800\\u0041\"", 1), ("\"\\ud800\\udc0\"", 1), ("\"\\ude00\\ud83d\"", 1), ("\"a\\ud83dx\"", 2),
            ("\"a\nb\"", 2), ("\"\t\"", 1), ("\"\u{0}\"", 1), ("\"\u{1f}\"", 1), ("{\"\\ud800\":1}", 2),
            ("[\"a\u{0}b\"]", 3),
        ])
    func badStrings(text: String, offset: Int) {
        #expect(fault(Array(text.utf8)) == JSONFault(.badString, at: offset))
    }

    @Test(
        "A text that is not UTF-8 is refused, wherever that is (RFC 3629)",
        arguments: [
            ([0x22, 0xFF, 0x22], 1), ([0x22, 0xC0, 0x80, 0x22], 1), ([0x22, 0xC1, 0xBF, 0x22], 1),
            ([0x22, 0xE0, 0x80, 0x80, 0x22], 1), ([0x22, 0xED, 0xA0, 0x80, 0x22], 1), ([0x22, 0x61, 0xC3, 0x22], 2),
            ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 1), ([0x22, 0xF8, 0x88, 0x80, 0x80, 0x80, 0x22], 1),
            ([0x22, 0x80, 0x22], 1), ([0x5B, 0x5D, 0xFF], 2), ([0x22, 0xE2, 0x82], 1), ([0xFF, 0xFE, 0x31, 0x00], 0),
        ] as [([UInt8], Int)])
    func notUTF8(bytes: [UInt8], offset: Int) {
        #expect(fault(bytes) == JSONFault(.notUTF8, at: offset))
    }

    @Test(
        "A name that comes twice in one object is refused, in whatever spelling",
        arguments: [
            ("{\"a\":1,\"a\":1}", 7), ("{\"a\":1,\"\\u0061\":2}", 7), ("{\"\\/\":1,\"/\":2}", 8),
            ("{\"\":1,\"\":1}", 6),
            ("[{\"b\":{\"a\":1,\"c\":{},\"a\":2}}]", 20), ("{\"a\":{\"b\":1},\"a\":2}", 13),
            ("{\"é\":1,\"\\u00e9\":2}", 8), ("{\"😀\":1,\"\\ud83d\\ude00\":2}", 10),
        ])
    func repeated(text: String, offset: Int) {
        #expect(fault(Array(text.utf8)) == JSONFault(.repeatedName, at: offset))
    }

    @Test("Depth, number and length have limits, and a million brackets cost no stack") func limits() {
        let nested = { (depth: Int) in
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(fault(nested(32)) == nil)
        #expect(fault(nested(33)) == JSONFault(.tooMuch, at: 32))
        #expect(fault(nested(500_000)) == JSONFault(.tooMuch, at: 32))
        #expect(fault(Array(repeating: UInt8(ascii: "["), count: 1_000_000)) == JSONFault(.tooMuch, at: 32))
        #expect(fault(nested(100_000), limits: JSONLimits(depth: 100_000)) == nil)
        #expect(fault(nested(1), limits: JSONLimits(depth: 0)) == JSONFault(.tooMuch, at: 0))

        let three = JSONLimits(values: 3)
        #expect(fault(Array("[1,2]".utf8), limits: three) == nil)
        #expect(fault(Array("[1,2,3]".utf8), limits: three) == JSONFault(.tooMuch, at: 5))

        let two = JSONLimits(members: 2)
        #expect(fault(Array("{\"a\":1,\"b\":{\"a\":1,\"b\":2}}".utf8), limits: two) == nil)
        #expect(fault(Array("{\"a\":1,\"b\":2,\"c\":3}".utf8), limits: two) == JSONFault(.tooMuch, at: 13))

        #expect(fault(Array("[]  ".utf8), limits: JSONLimits(bytes: 4)) == nil)
        #expect(fault(Array("[]   ".utf8), limits: JSONLimits(bytes: 4)) == JSONFault(.tooMuch, at: 4))
    }

    @Test("The events tell a text in its order, and where its strings and numbers stand") func events() throws {
        let bytes = Array(#" {"a" : [1, -0.5e+3, true], "\u0062":"\n", "c":{"d":null}} "#.utf8)
        var reader = JSONReader()
        var told: [String] = []
        while let event = try reader.next(in: bytes.span) {
            let text =
                switch event {
                case .name(let range): "name " + String(decoding: bytes[range], as: UTF8.self)
                case .string(let range): "string " + String(decoding: bytes[range], as: UTF8.self)
                case .number(let range): "number " + String(decoding: bytes[range], as: UTF8.self)
                default: "\(event)"
                }
            told.append(text)
        }
        #expect(
            told == [
                "object", "name a", "array", "number 1", "number -0.5e+3", "boolean(true)", "end", #"name \u0062"#,
                #"string \n"#, "name c", "object", "name d", "null", "end", "end",
            ])
        #expect(try reader.next(in: bytes.span) == nil)
    }

    /// Expected values are those of Python's `json.loads`.
    @Test(
        "Escapes become the characters that they name",
        arguments: [
            (#"a\"\\\/\b\f\n\r\tz"#, "a\"\\/\u{8}\u{c}\n\r\tz"), (#"\u00e9\u20AC\u07ff\u0800"#, "é€\u{7ff}\u{800}"),
            (#"\ud83d\ude00\uDBFF\uDFFF"#, "😀\u{10FFFF}"), (#"\u0000a"#, "\u{0}a"), ("日本", "日本"),
            (#"\uD7FF\uE000\uffff"#, "\u{d7ff}\u{e000}\u{ffff}"), ("", ""),
        ])
    func escapes(text: String, value: String) throws {
        let bytes = Array("\"\(text)\"".utf8)
        try JSONReader.check(bytes.span)
        #expect(JSONString.decode(1..<bytes.count - 1, in: bytes.span) == Array(value.utf8))
    }

    @Test("The members of an object are found by name, in any spelling, on the top level alone") func members() throws {
        let bytes = Array(#"{"x":{"detail":1},"d\u0065tail":"\u0041","list":[],"n":-1}"#.utf8)
        let members = try JSONMembers(bytes.span)
        #expect(members.all.count == 4)
        #expect(members.value("detail", in: bytes.span) == .string(33..<39))
        #expect(members.value("x", in: bytes.span) == .object)
        #expect(members.value("list", in: bytes.span) == .array)
        for name: StaticString in ["Detail", "detail ", "detai", "1", ""] {
            #expect(members.value(name, in: bytes.span) == nil)
        }
        for text in ["[]", "[{\"a\":1}]", "\"detail\"", "1", "null"] {
            #expect(throws: JSONFault(.otherValue, at: 0)) { try JSONMembers(Array(text.utf8).span) }
        }
        #expect(throws: JSONFault(.unexpected, at: 7)) { try JSONMembers(Array(#"{"a":1}x"#.utf8).span) }
    }

    @Test("A tree holds every kind of value in the order of the text") func tree() throws {
        let text = #" {"b" : [1, -0.5e+3, true, false, null, [], {}], "a":"\"\ud83d\ude00é"} "#
        let value = try JSONValue(Array(text.utf8).span)
        #expect(
            value
                == .object([
                    JSONValue.Member(
                        "b",
                        .array([
                            .number("1"), .number("-0.5e+3"), .boolean(true), .boolean(false), .null, .array([]),
                            .object([]),
                        ])), JSONValue.Member("a", .string("\"😀é")),
                ]))
        #expect(value["a"]?.text == "\"😀é")
        #expect(value["c"] == nil && value["b"]?.text == nil && JSONValue.null["a"] == nil)
    }
}
