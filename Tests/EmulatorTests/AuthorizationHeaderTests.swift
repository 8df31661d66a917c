import Testing

@testable import Emulator

@Suite("The Authorization header")
struct AuthorizationHeaderTests {
    private static let scope = "20231001/eu-west-2/rolesanywhere/aws4_request"

    @Test("Its parts come out, with or without spaces after the commas", arguments: [", ", ",", ",  "])
    func parts(separator: String) throws {
        let text = [
            "AWS4-X509-RSA-SHA256 Credential=5215/\(Self.scope)", "SignedHeaders=host;x-amz-date", "Signature=00ff",
        ].joined(separator: separator)
        let header = try AuthorizationHeader(text)
        #expect(header.algorithm == "AWS4-X509-RSA-SHA256")
        #expect(header.credentialID == "5215")
        #expect(header.scope.text == Self.scope)
        #expect(header.signedHeaders == ["host", "x-amz-date"])
        #expect(header.signature == [0, 255])
    }

    @Test(
        "What is malformed is told",
        arguments: [
            ("", "it has no parameters"),
            ("A", "it has no parameters"),
            ("A x", "a parameter has no value"),
            ("A a=1, a=2", "a stands twice"),
            ("A Credential=1/2/3/4/5, SignedHeaders=host", Self.incomplete),
            ("A Credential=1/2/3/4/5, SignedHeaders=host, Signature=00, X=1", Self.incomplete),
            ("A Credential=1/2/3/4, SignedHeaders=host, Signature=00", "Credential needs five parts"),
            ("A Credential=1/2/3/4/5/6, SignedHeaders=host, Signature=00", "Credential needs five parts"),
            ("A Credential=1/2/3/4/5, SignedHeaders=, Signature=00", Self.names),
            ("A Credential=1/2/3/4/5, SignedHeaders=host;, Signature=00", Self.names),
            ("A Credential=1/2/3/4/5, SignedHeaders=Host, Signature=00", Self.names),
            ("A Credential=1/2/3/4/5, SignedHeaders=b;a, Signature=00", Self.order),
            ("A Credential=1/2/3/4/5, SignedHeaders=a;a, Signature=00", Self.order),
            ("A Credential=1/2/3/4/5, SignedHeaders=a, Signature=", Self.hex),
            ("A Credential=1/2/3/4/5, SignedHeaders=a, Signature=0", Self.hex),
            ("A Credential=1/2/3/4/5, SignedHeaders=a, Signature=AB", Self.hex),
            ("A Credential=1/2/3/4/5, SignedHeaders=a, Signature=zz", Self.hex),
            ("A " + String(repeating: "x", count: 16_384), "it is longer than 16 KiB"),
        ])
    func malformed(text: String, reason: String) {
        let error = #expect(throws: AuthorizationHeader.Malformed.self) { try AuthorizationHeader(text) }
        #expect(error?.reason == reason)
    }

    private static let incomplete = "it needs Credential, SignedHeaders and Signature, and nothing else"
    private static let names = "SignedHeaders needs lower-case names separated by semicolons"
    private static let order = "SignedHeaders must be sorted, each name once"
    private static let hex = "Signature must be lower-case hex"
}
