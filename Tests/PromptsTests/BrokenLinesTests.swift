import Testing

@testable import Prompts

@Suite("Lines that fit a window")
struct BrokenLinesTests {
    @Test(
        "Lines break at spaces, and words within where they are wider than a line",
        arguments: [
            ("", ""), ("one two", "one two"), ("1234567890", "1234567890"), ("12345 7890", "12345 7890"),
            ("12345 78901", "12345\n78901"), ("one\ntwo", "one\ntwo"), ("a\n\nb", "a\n\nb"),
            ("12345678901", "1234567890\n1"), ("a 12345678901 b", "a\n1234567890\n1 b"),
            // Characters of East Asian scripts are two columns wide (Unicode Standard Annex #11).
            ("営業部トークン", "営業部トー\nクン"), ("a営業部トークン", "a営業部ト\nークン"),
        ])
    func broken(text: String, expected: String) { #expect(brokenLines(text, columns: 10) == expected) }

    @Test("Nothing but spaces and newlines differs from the text")
    func whole() {
        let text = (1...200).map { String(repeating: "word", count: $0 % 7 + 1) }.joined(separator: " ")
        for columns in 1...90 {
            let lines = brokenLines(text, columns: columns)
            #expect(lines.split(separator: "\n").allSatisfy { $0.count <= columns })
            #expect(lines.filter { $0 != "\n" && $0 != " " } == text.filter { $0 != " " })
        }
    }
}
