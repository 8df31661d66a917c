import ServiceAnswers
import Testing

@testable import Agent

@Suite("The key of a session")
struct SessionKeyTests {
    private static let key = SessionKey(
        SessionCredentials(
            accessKeyID: "ASIATEST", secretAccessKey: "abcdefghijklmnopqrstuvwxyz/0123456789+AB",
            sessionToken: "IQoJb3JpZ2luX2VjEJr//////////wEaDGV1LWNlbnRyYWwtMSJ", expiration: 0, accountID: nil))

    @Test(
        "What a text has of its secret parts is left out, from 16 characters on",
        arguments: [
            ("denied for IQoJb3JpZ2luX2VjEJr//////////wEaDGV1LWNlbnRyYWwtMSJ", "denied for …"),
            ("a IQoJb3JpZ2luX2Vj, then: ghijklmnopqrstuvwxyz.", "a …, then: …."),
            ("a IQoJb3JpZ2luX2V, then: …", "a IQoJb3JpZ2luX2V, then: …"),
            ("abcdefghijklmnopIQoJb3JpZ2luX2Vj", "…"), ("ASIATEST is not known", "ASIATEST is not known"), ("", ""),
        ])
    func redaction(_ text: String, _ expected: String) { #expect(Self.key.redact(text) == expected) }
}
