import Differential
import Foundation
import PlainText
import Testing

@Suite struct PlainTextTests {
    /// C0, DEL, C1, line and paragraph separators, UAX #9's explicit directions, marks of direction, zero-width characters, a byte
    /// order mark, a tag.
    private static let harmful: [Unicode.Scalar] =
        (0...0x1F).map { Unicode.Scalar($0) } + (0x7F...0x9F).map { Unicode.Scalar($0) } + [
            "\u{2028}", "\u{2029}", "\u{202A}", "\u{202B}", "\u{202C}", "\u{202D}", "\u{202E}", "\u{2066}", "\u{2067}",
            "\u{2068}", "\u{2069}", "\u{200E}", "\u{200F}", "\u{61C}", "\u{200B}", "\u{200C}", "\u{200D}", "\u{2060}",
            "\u{AD}", "\u{FEFF}", "\u{E0041}", "\u{E000}", "\u{3164}",
        ]

    @Test("For a terminal each harmful character is a question mark", arguments: harmful)
    func terminal(scalar: Unicode.Scalar) {
        #expect(PlainText.terminal("é\(scalar)b") == "é?b")
    }

    @Test("For a log each harmful character is told by its number", arguments: harmful)
    func log(scalar: Unicode.Scalar) {
        #expect(PlainText.log("é\(scalar)b", longest: 3) == "é\\u{\(String(scalar.value, radix: 16))}b")
    }

    @Test(
        "In a sentence each harmful character is a space, and none where the sentence begins or ends",
        arguments: harmful)
    func message(scalar: Unicode.Scalar) {
        #expect(PlainText.message("\(scalar)é\(scalar) \(scalar)b\(scalar)", longest: 3) == "é b")
    }

    @Test("For a prompt each byte that is not printable ASCII is a question mark")
    func prompt() {
        let expected = (0...255).map { (0x20...0x7E).contains($0) ? String(Unicode.Scalar($0)) : "?" }.joined()
        #expect(PlainText.prompt(UInt8.min...UInt8.max) == expected)
    }

    @Test(
        "Text that is harmless stays as it is",
        arguments: [
            "", " a  b ", "~", "Größe", "日本語", "שלום", "e\u{301}", "😀", "❤\u{FE0F}", "\u{FFFD}", "\u{0A00}", "\\u{1b}",
        ])
    func harmless(text: String) {
        #expect(PlainText.terminal(text) == text)
        #expect(PlainText.log(text, longest: 20) == text)
        #expect(
            PlainText.message(text, longest: 20)
                == text.split(separator: " ").joined(separator: " "))
    }

    @Test("Bytes that are no UTF-8 become U+FFFD, and no byte of theirs reaches a terminal")
    func invalidUTF8() {
        let text = String(
            decoding: [0x61, 0xC2, 0x9B, 0x9B, 0xC0, 0x9B, 0xED, 0xA0, 0x80, 0xFF, 0x62] as [UInt8], as: UTF8.self)
        #expect(PlainText.terminal(text) == "a?\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}b")
        #expect(PlainText.terminal(text).utf8.allSatisfy { $0 != 0x9B && $0 != 0xC2 })
    }

    @Test("A flood of combining marks is as long as any other text, and is cut where it would be")
    func combiningMarks() {
        let flood = "a" + String(repeating: "\u{301}", count: 100_000)
        #expect(PlainText.log(flood, longest: 80).unicodeScalars.count == 81)
        #expect(PlainText.message(flood, longest: 80).unicodeScalars.count == 81)
        #expect(PlainText.cut(PlainText.terminal(flood), toBytes: 640).utf8.count <= 640)
    }

    @Test("A text that is too long ends in an ellipsis")
    func tooLong() {
        #expect(PlainText.log("abcd", longest: 3) == "abc…")
        #expect(PlainText.log("\u{1B}bcd", longest: 3) == "\\u{1b}bc…")
        #expect(PlainText.message("a\u{202E} \nbcd", longest: 3) == "a b…")
        #expect(PlainText.message("abc\u{0}", longest: 3) == "abc")
        #expect(PlainText.message("abc d", longest: 3) == "abc…")
        #expect(PlainText.message("ab cd", longest: 3) == "ab…")
    }

    @Test(
        "A text is cut between its characters",
        arguments: [
            ("abcdef", "abcdef"), ("abcdefg", "abc..."), ("abéfgh", "ab..."), ("ab€gh", "ab..."),
        ])
    func cut(text: String, expected: String) {
        #expect(PlainText.cut(text, toBytes: 6) == expected)
    }

    @Test(
        "The harmful characters are those of Unicode's categories Cc, Cf, Zl, Zp and Co, and the ignorable ones that are no marks"
    )
    func categories() throws {
        // Unicode's DerivedCoreProperties.txt has Default_Ignorable_Code_Point, which Python does not know: here those
        // that are neither Cf nor marks. Python's tables may be older than ours, so that what it has not assigned is left out.
        let answers = try Python.answers(
            """
            import unicodedata
            ignorable = {0x115F, 0x1160, 0x3164, 0xFFA0}
            for value in range(0x110000):
                category = unicodedata.category(chr(value))
                harmful = category in ("Cc", "Cf", "Zl", "Zp", "Co") or value in ignorable
                print("unknown" if category in ("Cn", "Cs") else "harmful" if harmful else "harmless")
            """, to: Data())
        try #require(answers.count == 0x110000)
        var wrong: [UInt32] = []
        for (value, answer) in answers.enumerated() where answer != "unknown" {
            guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
            if PlainText.isHarmless(scalar) != (answer == "harmless") { wrong.append(scalar.value) }
        }
        #expect(wrong.isEmpty)
    }
}
