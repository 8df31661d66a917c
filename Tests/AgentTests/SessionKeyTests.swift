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

    /// By Python: urllib.parse.quote, html.escape, bytes.hex, base64.b64encode.
    @Test(
        "Nor is it told in another form",
        arguments: [
            ("x=abcdefghijklmnopqrstuvwxyz%2F0123456789%2BAB&y", "x=…&y"),
            ("x=abcdefghijklmnopqrstuvwxyz%2f0123456789%2bAB&y", "x=…&y"),
            ("key 6162636465666768696a6b6c6d6e6f707172737475767778797a2f303132333435363738392b4142.", "key …."),
            ("key 6162636465666768696A6B6C6D6E6F707172737475767778797A2F303132333435363738392B4142.", "key …."),
            ("YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXovMDEyMzQ1Njc4OStBQg==", "…g=="),
            ("OmFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6LzAxMjM0NTY3ODkrQUI=", "Om…I="),
            ("QTphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ei8wMTIzNDU2Nzg5K0FC", "QTp…C"),
        ])
    func forms(_ text: String, _ expected: String) { #expect(Self.key.redact(text) == expected) }

    @Test("What a service repeats over and over is left out as fast as anything else")
    func repetition() {
        let key = SessionKey(
            SessionCredentials(
                accessKeyID: "ASIATEST", secretAccessKey: String(repeating: "a", count: 256),
                sessionToken: String(repeating: "a", count: 16_384), expiration: 0, accountID: nil))
        let began = ContinuousClock.now
        #expect(key.redact(String(repeating: "a", count: 300)) == "…")
        #expect(.now - began < .seconds(10))
    }

    @Test("Nor escaped for XML")
    func markup() {
        let key = SessionKey(
            SessionCredentials(
                accessKeyID: "ASIATEST", secretAccessKey: "a&b<c>d'e\"f&g<h>i", sessionToken: "t", expiration: 0,
                accountID: nil))
        #expect(key.redact("a&amp;b&lt;c&gt;d&apos;e&quot;f&amp;g&lt;h&gt;i!") == "…!")
    }
}
