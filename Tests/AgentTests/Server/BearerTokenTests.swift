import Testing

@testable import Agent

@Suite("Bearer tokens of endpoints") struct BearerTokenTests {
    @Test("A token is a mark and 64 hexadecimal digits without a line end, another one each time") func random() {
        let tokens = (0..<100).map { _ in BearerToken.random().content }
        #expect(Set(tokens).count == 100)
        #expect(tokens.allSatisfy { BearerToken(content: $0) != nil })
        #expect(tokens.allSatisfy { $0.count == 74 && $0.starts(with: "tokenward-".utf8) })
    }

    @Test("What differs in one bit, in length, or is empty, is another token") func equality() {
        let token = BearerToken.random()
        #expect(BearerToken(presented: token.content) == token)
        for index in token.content.indices {
            var other = token.content
            other[index] ^= 1
            #expect(BearerToken(presented: other) != token)
        }
        for other in [[], Array(token.content.dropLast()), token.content + [0x20], token.content + token.content] {
            #expect(BearerToken(presented: other) != token)
        }
    }

    @Test("It prints as redacted") func printed() {
        let token = BearerToken.random()
        var dumped = ""
        dump(token, to: &dumped)
        #expect("\(token)" == "‹redacted›" && String(reflecting: token) == "‹redacted›")
        #expect(!dumped.contains(String(decoding: token.content, as: UTF8.self)))
    }

    @Test(
        "A file that holds anything else is no token file",
        arguments: [
            "", "export A=b\n", String(repeating: "a", count: 64), String(repeating: "a", count: 74),
            "tokenward-" + String(repeating: "g", count: 64),
        ])
    func content(text: String) { #expect(BearerToken(content: Array(text.utf8)) == nil) }

    @Test("After 12 hours there is a new one; the one before is good until the next, and no longer") func rotation() {
        let tokens = (0..<3).map { _ in BearerToken.random() }
        let hour: Int64 = 3_600_000
        var pair = TokenPair(tokens[0], at: 5)
        #expect(!pair.isDue(at: 5 + 12 * hour - 1))
        #expect(pair.isDue(at: 5 + 12 * hour))
        pair.rotate(to: tokens[1], at: 12 * hour)
        #expect(!pair.isDue(at: 24 * hour - 1))
        #expect(tokens.map(pair.accepts) == [true, true, false])
        pair.rotate(to: tokens[2], at: 24 * hour)
        #expect(tokens.map(pair.accepts) == [false, true, true])
    }

    @Test("A token that one who may not read any longer has read is good for nothing") func withdrawn() {
        let tokens = (0..<3).map { _ in BearerToken.random() }
        var pair = TokenPair(tokens[0], at: 0)
        pair.rotate(to: tokens[1], at: 1)
        pair.rotate(to: tokens[2], keepsPrevious: false, at: 2)
        #expect(tokens.map(pair.accepts) == [false, false, true])
    }
}
