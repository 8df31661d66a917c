import HeaderFields
import IoTCore
import ServiceAnswers
import Testing

@Suite struct RoleAliasResponseTests {
    private static let now: Int64 = 1_516_263_606  // 2018-01-18T08:20:06Z
    private static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    private static let type = HeaderField(name: "content-type", value: "application/json")

    /// The answer that the IoT Core developer guide shows.
    private static func body(
        keyID: String = #""ASIAIOSFODNN7EXAMPLE""#, secret: String = "\"\(secret)\"",
        token: String = #""AQoEXAMPLEH4aoAH0gNCAPyJxz4BlCFFxWNE1OPTgk5TthT+FvwqnKwRcOIfrRh3c/LTo6""#,
        expiration: String = #""2018-01-18T09:18:06Z""#
    ) -> String {
        #"{"credentials":{"accessKeyId":\#(keyID),"secretAccessKey":\#(secret),"sessionToken":\#(token),"#
            + #""expiration":\#(expiration)}}"#
    }

    private static func parse(
        _ body: String, status: Int = 200, headers: [HeaderField] = [type]
    ) throws(RoleAliasError) -> SessionCredentials {
        try RoleAliasResponse.parse(
            ServiceAnswer(status: status, headers: headers, body: Array(body.utf8), receivedAt: now))
    }

    private static func kind(
        _ body: String, status: Int = 200, headers: [HeaderField] = [type]
    ) -> RoleAliasError.Kind? {
        #expect(throws: RoleAliasError.self) { try parse(body, status: status, headers: headers) }?.kind
    }

    @Test("The answer that the developer guide shows gives its credentials, of an unknown account") func success()
        throws
    {
        let credentials = try Self.parse(Self.body())
        #expect(credentials.accessKeyID == "ASIAIOSFODNN7EXAMPLE" && credentials.secretAccessKey == Self.secret)
        #expect(credentials.sessionToken.hasPrefix("AQoEX") && credentials.expiration == Self.now + 3480)
        #expect(credentials.accountID == nil && "\(credentials)" == "‹redacted›")
    }

    @Test(
        "An incomplete or odd answer is refused where it is odd",
        arguments: [
            ("{}", "credentials.expiration"), ("[]", "credentials.expiration"),
            (#"{"credentials":null}"#, "credentials.expiration"), (#"{"credentials":[]}"#, "credentials.expiration"),
            (#"{"credentialSet":[]}"#, "credentials.expiration"),
            (String(body().dropLast()), "the JSON text"), ("", "the JSON text"),
            (body().replacing("}}", with: "},\"x\":\"\(String(repeating: "x", count: 262_144))\"}"), "the JSON text"),
            (body(keyID: "null"), "credentials.accessKeyId"), (body(keyID: "\"asia\""), "credentials.accessKeyId"),
            (body(secret: "\"short\""), "credentials.secretAccessKey"),
            (body(token: "\"a\\nb\""), "credentials.sessionToken"),
            (body(expiration: "1516267086"), "credentials.expiration"),
            (body(expiration: "\"tomorrow, if you like\""), "credentials.expiration"),
            (body(expiration: "\"2018-01-18T20:31:06Z\""), "credentials.expiration, later than asked for"),
        ])
    func malformed(_ body: String, field: String) { #expect(Self.kind(body) == .malformed(field: field)) }

    @Test("Credentials with a minute or less to live are refused") func expired() {
        #expect(Self.kind(Self.body(expiration: "\"2018-01-18T08:21:06Z\"")) == .expiredAnswer)
        #expect(Self.kind(Self.body(expiration: "\"2017-01-18T08:21:06Z\"")) == .expiredAnswer)
    }

    @Test(
        "Each status is told apart",
        arguments: [
            (401, .refused(.accessDenied)), (403, .refused(.accessDenied)), (400, .refused(.rejected)),
            (404, .refused(.notFound)), (418, .other),
            (201, .other), (302, .redirect), (429, .throttled(retryAfterSeconds: 7)),
            (500, .server(retryAfterSeconds: 7)), (503, .server(retryAfterSeconds: 7)),
        ] as [(Int, RoleAliasError.Kind)])
    func statuses(_ status: Int, kind: RoleAliasError.Kind) {
        let headers = [Self.type, HeaderField(name: "Retry-After", value: "7")]
        #expect(Self.kind(#"{"message":"Access Denied"}"#, status: status, headers: headers) == kind)
    }

    @Test("A page that is not JSON is no answer of the service's") func page() {
        let html = [HeaderField(name: "Content-Type", value: "text/html")]
        for status in [200, 400, 404, 511] {
            let kind = Self.kind("<html>Log in</html>", status: status, headers: html)
            #expect(kind == (status == 511 ? .server(retryAfterSeconds: nil) : .foreign))
        }
        #expect(Self.kind(Self.body(), headers: []) == .foreign)
    }
}
