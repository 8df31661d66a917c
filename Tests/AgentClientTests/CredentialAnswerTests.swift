import Testing

@testable import AgentClient

@Suite("Credentials before they are handed out")
struct CredentialAnswerTests {
    private static let good: [(String, String)] = [
        ("Version", "1"), ("AccessKeyId", "\"ASIA\""), ("SecretAccessKey", "\"s\""), ("SessionToken", "\"t\""),
        ("Expiration", "\"2030-01-01T00:00:00Z\""), ("AccountId", "\"111122223333\""),
    ]

    private func check(_ members: [(String, String)]) throws(ClientFailure) {
        let text = members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ", ")
        _ = try CredentialAnswer.check(Array("{\(text)}".utf8).span)
    }

    @Test("A whole document passes, with and without the account")
    func whole() throws {
        try check(Self.good)
        try check(Self.good.dropLast())
    }

    @Test(
        "A document without one of its members, or with an empty one, is held back",
        arguments: [
            ("Version", "\"1\""), ("Version", "2"), ("Version", "10"), ("AccessKeyId", "\"\""), ("AccessKeyId", "null"),
            ("SecretAccessKey", "\"\""), ("SessionToken", "7"), ("Expiration", "\"\""), ("Expiration", "[\"x\"]"),
        ])
    func incomplete(name: String, value: String) {
        #expect(throws: ClientFailure.self) { try check(Self.good.filter { $0.0 != name }) }
        #expect(throws: ClientFailure.self) { try check(Self.good.map { $0.0 == name ? (name, value) : $0 }) }
    }

    @Test("What is no JSON is held back", arguments: ["", "[]", "{", "<html>", "{}{}", "null"])
    func garbage(text: String) {
        let failure = #expect(throws: ClientFailure.self) { try CredentialAnswer.check(Array(text.utf8).span) }
        #expect(failure?.exit == .software)
    }
}
