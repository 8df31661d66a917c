import Testing

@testable import Agent

struct TOMLParserTests {
    /// Every key, table and element with its line, as `a.b[0].c`.
    private static func places(_ text: String) throws -> [String: Int] {
        let entries = try #require(TOMLParser.parse(Array(text.utf8)) { Issue.record("\($0)") })
        var places: [String: Int] = [:]
        var waiting = entries.map { (name: shown($0.key), node: $0.value) }
        while let (name, node) = waiting.popLast() {
            places[name] = node.line
            switch node.value {
            case .table(let entries): waiting += entries.map { (name + "." + shown($0.key), $0.value) }
            case .array(let elements): waiting += elements.enumerated().map { ("\(name)[\($0.offset)]", $0.element) }
            default: break
            }
        }
        return places
    }

    private static func shown(_ key: String) -> String { key.isEmpty ? "''" : key }

    @Test("Each key is found in its line", arguments: rows)
    func lines(_ text: String, _ expected: [String: Int]) throws {
        #expect(try Self.places(text) == expected)
    }

    static let rows: [(String, [String: Int])] = [
        ("", [:]),
        ("a=1", ["a": 1]),
        ("\n\n  a = 1 # a = 2\n# b = 1\n\tb\t=\t2", ["a": 3, "b": 5]),
        ("a = 1\r\n\r\nb = 2\r\n", ["a": 1, "b": 3]),
        ("\u{FEFF}a = 1\nb = 2", ["a": 1, "b": 2]),
        // Keys.
        ("a.b.c = 1\na.b.d = 2", ["a": 1, "a.b": 1, "a.b.c": 1, "a.b.d": 2]),
        ("a . \"b c\" . 'd.e' = 1", ["a": 1, "a.b c": 1, "a.b c.d.e": 1]),
        ("\"\\u0061\\tb\\\"\\\\\" = 1", ["a\tb\"\\": 1]),
        ("\"\" = 1\n' ' . x = 2", ["''": 1, " ": 2, " .x": 2]),
        ("1.2 = 3", ["1": 1, "1.2": 1]),
        // Tables.
        ("[a]\nb = 1\n[c.d]\ne = 2", ["a": 1, "a.b": 2, "c": 3, "c.d": 3, "c.d.e": 4]),
        ("[ a . b ]\n c = 1\n[a]\nd = 1", ["a": 3, "a.b": 1, "a.b.c": 2, "a.d": 4]),
        ("[a.\"b]\"]\nc = 1", ["a": 1, "a.b]": 1, "a.b].c": 2]),
        // Arrays of tables.
        ("[[a]]\nb = 1\n[[a]]\nb = 2", ["a": 1, "a[0]": 1, "a[0].b": 2, "a[1]": 3, "a[1].b": 4]),
        (
            "[[a]]\n[a.b]\nc = 1\n[[a]]\n[[a.d]]\ne = 1\n[[ a . d ]]\ne = 2",
            [
                "a": 1, "a[0]": 1, "a[0].b": 2, "a[0].b.c": 3, "a[1]": 4, "a[1].d": 5, "a[1].d[0]": 5,
                "a[1].d[0].e": 6, "a[1].d[1]": 7, "a[1].d[1].e": 8,
            ]
        ),
        // Arrays.
        ("a = [1, 2]\nb = []", ["a": 1, "a[0]": 1, "a[1]": 1, "b": 2]),
        (
            "a = [ # [\n  1, # 2,\n\n  'x]', \"]\\\"\",\n]\nb = 1",
            ["a": 1, "a[0]": 2, "a[1]": 4, "a[2]": 4, "b": 6]
        ),
        (
            "a = [[1], [], [\n2,\n[3]]]",
            ["a": 1, "a[0]": 1, "a[0][0]": 1, "a[1]": 1, "a[2]": 1, "a[2][0]": 2, "a[2][1]": 3, "a[2][1][0]": 3]
        ),
        ("a = [-1, 0xFF, true]\nb = 1", ["a": 1, "a[0]": 1, "a[1]": 1, "a[2]": 1, "b": 2]),
        // Inline tables.
        ("a = { b = 1, c.d = '}' }\ne = 1", ["a": 1, "a.b": 1, "a.c": 1, "a.c.d": 1, "e": 2]),
        ("a = {}\nb = { c = {} }", ["a": 1, "b": 2, "b.c": 2]),
        (
            "a = [\n{ b = 1 },\n{ b = [\n2 ] } ]",
            ["a": 1, "a[0]": 2, "a[0].b": 2, "a[1]": 3, "a[1].b": 3, "a[1].b[0]": 4]
        ),
        // Text that looks like something else.
        ("a = \"[x]\\\" # b = 1\"\nc = '\\'\nd = 1", ["a": 1, "c": 2, "d": 3]),
        ("a = \"\"\"\n[x]\ny = 1\n\"\"\"\nb = 1", ["a": 1, "b": 5]),
        ("a = '''\n[x]\n\\'''\nb = 1", ["a": 1, "b": 4]),
        ("a = \"\"\"x\"\"\"\"\"\nb = ''''''\nc = 1", ["a": 1, "b": 2, "c": 3]),
        ("a = \"\"\"x \\\"\"\" ' \"\" \\\n\n   y\"\"\"\nb = 1", ["a": 1, "b": 4]),
        ("a = '''x''y'z'''''\nb = 1", ["a": 1, "b": 2]),
    ]

    @Test("Text is read in all its forms", arguments: texts)
    func text(_ text: String, _ expected: String) throws {
        let entries = try #require(TOMLParser.parse(Array("a = \(text)".utf8)) { Issue.record("\($0)") })
        guard case .text(let found) = entries["a"]?.value else {
            Issue.record("no text")
            return
        }
        #expect(found == expected)
    }

    // From the examples of the TOML 1.0.0 specification, "String", and the escapes of its grammar.
    static let texts = [
        (
            #""I'm a string. \"You can quote me\". Name\tJos\u00E9\nLocation\tSF.""#,
            "I'm a string. \"You can quote me\". Name\tJos\u{E9}\nLocation\tSF."
        ),
        ("\"\"\"\nRoses are red\nViolets are blue\"\"\"", "Roses are red\nViolets are blue"),
        ("\"\"\"\r\nRoses\r\nViolets\"\"\"", "Roses\nViolets"),
        (
            #""""Here are two quotation marks: "". Simple enough.""""#,
            #"Here are two quotation marks: "". Simple enough."#
        ),
        (#""""Here are three quotation marks: ""\".""""#, #"Here are three quotation marks: """."#),
        (
            #"""""This," she said, "is just a pointless statement."""""#,
            #""This," she said, "is just a pointless statement.""#
        ),
        (#"'C:\Users\nodejs'"#, #"C:\Users\nodejs"#),
        (#"'<\i\c*\s*>'"#, #"<\i\c*\s*>"#),
        (#"'''I [dw]on't need \d{2} apples'''"#, #"I [dw]on't need \d{2} apples"#),
        ("'''\nThe first newline is\ntrimmed in raw strings.\n'''", "The first newline is\ntrimmed in raw strings.\n"),
        (
            "'''Here are fifteen quotation marks: \"\"\"\"\"\"\"\"\"\"\"\"\"\"\"'''",
            "Here are fifteen quotation marks: \"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
        ),
        ("''''That,' she said, 'is still pointless.''''", "'That,' she said, 'is still pointless.'"),
        (#""\b\t\n\f\r\"\\\u0001\U0001F600""#, "\u{8}\t\n\u{C}\r\"\\\u{1}\u{1F600}"),
        ("\"\"", ""), ("''", ""), ("\"\"\"\"\"\"", ""), ("''''''", ""),
    ]

    @Test(
        "A line that ends in a backslash goes on after the blanks",
        arguments: [
            "\"\"\"\nThe quick brown \\\n\n\n  fox jumps.\"\"\"",
            "\"\"\"\\\n  The quick \\  \n  brown fox \\\r\n\tjumps.\\\n  \"\"\"",
        ])
    func continuation(_ text: String) throws { try self.text(text, "The quick brown fox jumps.") }

    @Test(
        "Integers are read in four radices",
        arguments: [
            ("+99", 99), ("42", 42), ("0", 0), ("+0", 0), ("-0", 0), ("-17", -17), ("1_000", 1000),
            ("5_349_221", 5_349_221), ("53_49_221", 5_349_221), ("0xDEADBEEF", 0xDEAD_BEEF),
            ("0xdead_beef", 0xDEAD_BEEF), ("0o01234567", 0o1234567), ("0o755", 0o755), ("0b11010110", 0b1101_0110),
            ("9223372036854775807", .max), ("-9223372036854775808", .min),
        ])
    func integer(_ text: String, _ expected: Int) throws {
        let entries = try #require(TOMLParser.parse(Array("a = \(text)".utf8)) { Issue.record("\($0)") })
        guard case .integer(expected) = entries["a"]?.value else {
            Issue.record("\(entries)")
            return
        }
    }

    @Test("Nesting of 16 is followed and 17 refused, however it is written", arguments: [(16, true), (17, false)])
    func depth(_ depth: Int, _ isFollowed: Bool) {
        let dotted = Array(repeating: "a", count: depth).joined(separator: ".")
        let texts = [
            "\(dotted) = 1", "[\(dotted)]",
            "a = \(String(repeating: "[", count: depth - 1))1\(String(repeating: "]", count: depth - 1))",
            "a = \(String(repeating: "{a=", count: depth - 1))1\(String(repeating: "}", count: depth - 1))",
            "[\(dotted.dropLast(4))]\na.a = 1",
        ]
        for text in texts { #expect((TOMLParser.parse(Array(text.utf8)) { _ in } != nil) == isFollowed, "\(text)") }
    }
}
