import Testing

@testable import Encodings

@Suite("Search in texts")
struct TextSearchTests {
    @Test(
        "A text is found where its bytes stand first",
        arguments: [
            ("configdir=/home/me", "configdir=", 0), ("a configdir=x configdir=y", "configdir=", 2), ("aab", "ab", 1),
            ("é é", "é", 0), ("xé", "é", 1), ("abc", "abc", 0), ("", "", 0), ("abc", "", 0),
        ])
    func found(text: String, wanted: String, characters: Int) throws {
        let range = try #require(text.range(ofText: wanted))
        #expect(text.distance(from: text.startIndex, to: range.lowerBound) == characters)
        #expect(text[range] == wanted)
        #expect(text.holds(text: wanted))
    }

    @Test(
        "A text that does not stand there is not found",
        arguments: [("", "a"), ("ab", "abc"), ("aXb", "ab"), ("e\u{301}", "é"), ("ABC", "abc")])
    func absent(text: String, wanted: String) {
        #expect(text.range(ofText: wanted) == nil)
        #expect(!text.holds(text: wanted))
    }

    @Test(
        "The parts between two places are those of Python's split",
        arguments: [
            ("/v1/profiles/{name}/credentials", "{name}", ["/v1/profiles/", "/credentials"]),
            ("/v1/status", "{name}", ["/v1/status"]), ("{name}{name}", "{name}", ["", "", ""]), ("", ",", [""]),
            ("a,,b,", ",", ["a", "", "b", ""]), ("aaa", "aa", ["", "a"]),
        ])
    func parts(text: String, separator: String, expected: [String]) {
        #expect(text.parts(between: separator).map(String.init) == expected)
    }
}
