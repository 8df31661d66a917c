import HeaderFields
import ServiceAnswers
import Testing

@testable import RolesAnywhere

@Suite struct CreateSessionErrorTests {
    static func error(
        _ status: Int, _ code: String?, _ body: String, date: String? = nil, retryAfter: String? = nil
    ) throws -> CreateSessionError {
        var headers = [HeaderField(name: "Content-Type", value: "application/json; charset=utf-8")]
        if let code { headers.append(HeaderField(name: "x-amzn-ErrorType", value: code)) }
        if let date { headers.append(HeaderField(name: "Date", value: date)) }
        if let retryAfter { headers.append(HeaderField(name: "Retry-After", value: retryAfter)) }
        headers.append(HeaderField(name: "x-amzn-RequestId", value: "0f1e2d3c"))
        let answer = ServiceAnswer(
            status: status, headers: headers, body: Array(body.utf8), receivedAt: SessionFixture.now)
        let request = try SessionFixture.request()
        return try #require(throws: CreateSessionError.self) { try CreateSessionResponse.parse(answer, to: request) }
    }

    @Test(
        "Each refusal of the service has its kind",
        arguments: [
            (
                403, "AccessDeniedException", #"{"message":"Untrusted Signing Certificate"}"#,
                CreateSessionError.Kind.refused(.untrustedCertificate)
            ),
            (
                403, "AccessDeniedException", #"{"message":"Untrusted signing certificate"}"#,
                .refused(.untrustedCertificate)
            ),
            (403, "AccessDeniedException", #"{"message":"Invalid signature"}"#, .refused(.invalidSignature)),
            (
                403, "InvalidSignatureException", #"{"message":"Signature expired: 2023 is now earlier"}"#,
                .refused(.invalidSignature)
            ),
            (
                403, "AccessDeniedException", #"{"message":"Not authorized to set roleSessionName."}"#,
                .refused(.roleSessionNameRefused)
            ),
            (403, "AccessDeniedException", #"{"message":"Unable to assume role"}"#, .refused(.accessDenied)),
            (403, nil, "{}", .refused(.accessDenied)),
            (400, "ValidationException", #"{"message":"1 validation error detected"}"#, .refused(.validation)),
            (400, "ValidationException:http://internal.amazon.com/coral/", "{}", .refused(.validation)),
            (
                400, nil, #"{"__type":"com.amazonaws.rolesanywhere#ValidationException","Message":"x"}"#,
                .refused(.validation)
            ),
            (400, nil, #"{"code":"ValidationException"}"#, .refused(.validation)),
            (400, nil, "{}", .refused(.validation)),
            (404, "ResourceNotFoundException", #"{"message":"x"}"#, .refused(.notFound)),
            (404, nil, "{}", .refused(.notFound)),
            (429, "TooManyRequestsException", "{}", .throttled(retryAfterSeconds: nil)),
            (429, nil, "<html>", .throttled(retryAfterSeconds: nil)),
            (400, "ThrottlingException", "{}", .throttled(retryAfterSeconds: nil)),
            (503, "SlowDown", "{}", .throttled(retryAfterSeconds: nil)),
            (500, "InternalServerException", "{}", .server(retryAfterSeconds: nil)),
            (503, nil, "<html>", .server(retryAfterSeconds: nil)), (599, nil, "", .server(retryAfterSeconds: nil)),
            (301, nil, "", .redirect), (302, "AccessDeniedException", "{}", .redirect), (304, nil, "", .redirect),
            (418, "TeapotException", "{}", .other), (400, "NewException", #"{"message":"x"}"#, .other),
        ] as [(Int, String?, String, CreateSessionError.Kind)])
    func kinds(status: Int, code: String?, body: String, kind: CreateSessionError.Kind) throws {
        let error = try Self.error(status, code, body)
        #expect(error.kind == kind)
        #expect(error.status == status)
        #expect(error.requestID == "0f1e2d3c")
    }

    @Test(
        "The service's wait is honoured up to ten minutes",
        arguments: [
            ("7", 7), ("0", 0), ("600", 600), ("601", 600), ("999999999", 600), ("9999999999", nil), ("-1", nil),
            ("1.5", nil), ("Sun, 01 Oct 2023 12:00:30 GMT", 30), ("Sun, 01 Oct 2023 11:00:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 600), ("soon", nil),
        ] as [(String, Int?)])
    func retryAfter(text: String, seconds: Int?) throws {
        #expect(try Self.error(429, nil, "{}", retryAfter: text).kind == .throttled(retryAfterSeconds: seconds))
        #expect(try Self.error(503, nil, "{}", retryAfter: text).kind == .server(retryAfterSeconds: seconds))
    }

    @Test("The message is the service's own, on one line and cut")
    func message() throws {
        let error = try Self.error(
            403, "AccessDeniedException", #"{"message":"Untrusted\r\n\u001b[2J Signing Certificate"}"#)
        #expect(
            error.message
                == "CreateSession was refused with 403: AccessDeniedException: Untrusted [2J Signing Certificate")
        let long = try Self.error(500, nil, "{\"message\":\"\(String(repeating: "x", count: 5000))\"}")
        #expect(long.serviceMessage?.count == 301)
        #expect(try Self.error(403, "<script>", "{}").code == nil)
    }

    @Test("An untrusted certificate's hint says what was sent")
    func untrustedHint() throws {
        let error = try Self.error(403, "AccessDeniedException", #"{"message":"Untrusted Signing Certificate"}"#)
        #expect(
            error.hint(issuer: "CN=Example\nRoot", chainCount: 0)?.hasPrefix(
                "the certificate's issuer is 'CN=Example Root', sent with no chain certificates:") == true)
        #expect(error.hint(issuer: "CN=R", chainCount: 1)?.contains("sent with 1 chain certificate:") == true)
        #expect(error.hint(issuer: "CN=R", chainCount: 2)?.contains("sent with 2 chain certificates:") == true)
    }

    /// The issuer as RFC 2253 text and as the openssl program shows it.
    @Test(
        "A certificate that AWS IoT issued is told that it has another source",
        arguments: [
            "OU=Amazon Web Services O\\=Amazon.com Inc. L\\=Seattle ST\\=Washington C\\=US",
            "OU = Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US",
        ])
    func certificateOfIoT(_ issuer: String) throws {
        let error = try Self.error(403, "AccessDeniedException", #"{"message":"Untrusted Signing Certificate"}"#)
        #expect(error.hint(issuer: issuer, chainCount: 0)?.contains("source = \"iot-core\"") == true)
        #expect(error.hint(issuer: "O=Amazon.com Inc.,CN=Root", chainCount: 0)?.contains("iot-core") == false)
    }

    @Test(
        "A refused signature's hint tells a clock that is wrong",
        arguments: [
            (
                "Sun, 01 Oct 2023 12:07:00 GMT",
                "the clock is 7 minutes slow by the service's Date: set it (timedatectl, chronyc)"
            ),
            (
                "Sun, 01 Oct 2023 10:00:00 GMT",
                "the clock is 2 hours fast by the service's Date: set it (timedatectl, chronyc)"
            ),
            (
                "Sun, 01 Oct 2023 12:00:59 GMT",
                "the signature was verified before it was sent and the clock agrees: a proxy or gateway may have changed the request"
            ),
        ])
    func clockHint(date: String, hint: String) throws {
        let error = try Self.error(403, "AccessDeniedException", #"{"message":"Invalid signature"}"#, date: date)
        #expect(error.hint(issuer: "CN=R", chainCount: 0) == hint)
    }

    @Test(
        "A clock that is far off is told where the refusal may be for its date",
        arguments: [(400, "ValidationException", true), (418, "NewException", false)])
    func clockOfOthers(status: Int, code: String, isClocks: Bool) throws {
        let error = try Self.error(status, code, "{}", date: "Sun, 01 Oct 2023 12:07:00 GMT")
        #expect(error.hint(issuer: "CN=R", chainCount: 0)?.hasPrefix("the clock is 7 minutes slow") == true)
        #expect(error.isClocks == isClocks)
        let near = try Self.error(status, code, "{}", date: "Sun, 01 Oct 2023 12:00:30 GMT")
        #expect(near.hint(issuer: "CN=R", chainCount: 0)?.hasPrefix("the clock is") != true && !near.isClocks)
    }
}
