import HeaderFields
import STS
import ServiceAnswers
import Testing

/// Refusals in the service's own words, as its users have published them.
@Suite struct STSErrorTests {
    private struct Refusal: Sendable {
        let code: String
        let words: String
        var status = 403
        let kind: STSError.Kind
        var retry = STSRetry.change
        /// What the hint names.
        let setting: String
    }

    private static let user = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform"

    private static let refusals = [
        Refusal(
            code: "AccessDenied", words: "\(user): sts:AssumeRole on resource: arn:aws:iam::123456789012:role/demo",
            kind: .refused(.accessDenied), setting: "trust policy"),
        Refusal(
            code: "AccessDenied", words: "\(user): sts:TagSession on resource: arn:aws:iam::123456789012:role/demo",
            kind: .refused(.settingDenied(.tags)), setting: "tags"),
        Refusal(
            code: "AccessDenied",
            words: "\(user): sts:SetSourceIdentity on resource: arn:aws:iam::123456789012:role/demo",
            kind: .refused(.settingDenied(.sourceIdentity)), setting: "source-identity"),
        Refusal(
            code: "AccessDenied", words: "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
            kind: .refused(.mfaCodeRefused), retry: .newCode, setting: "next code"),
        Refusal(
            code: "AccessDenied",
            words:
                "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number "
                + "is valid and associated with this user.", kind: .refused(.mfaCodeRefused), retry: .newCode,
            setting: "next code"),
        Refusal(
            code: "AccessDenied",
            words: "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
            kind: .refused(.mfaDeviceRefused), setting: "mfa-serial"),
        Refusal(
            code: "AccessDenied", words: "Cannot call GetSessionToken with session credentials",
            kind: .refused(.notForSessions), setting: "mfa-serial"),
        Refusal(
            code: "MalformedPolicyDocument", words: "Syntax errors in policy.", status: 400,
            kind: .refused(.malformedPolicy),
            setting: "policy"),
        Refusal(
            code: "PackedPolicyTooLarge",
            words: "Packed size of session tags consumes 108% of allotted space.", status: 400,
            kind: .refused(.packedPolicyTooLarge), setting: "tags"),
        Refusal(
            code: "RegionDisabledException", words: "STS is not activated in this region for account:123456789012.",
            kind: .refused(.regionDisabled), setting: "region"),
        Refusal(
            code: "ExpiredToken", words: "The security token included in the request is expired",
            kind: .refused(.sourceExpired), retry: .newSource, setting: "source-profile"),
        Refusal(
            code: "ExpiredTokenException", words: "Token is expired", status: 400, kind: .refused(.sourceExpired),
            retry: .newSource, setting: "source-profile"),
        Refusal(
            code: "InvalidClientTokenId", words: "The security token included in the request is invalid.",
            kind: .refused(.unknownKey), retry: .newSource, setting: "source-profile"),
        Refusal(
            code: "SignatureDoesNotMatch",
            words: "The request signature we calculated does not match the signature you provided.",
            kind: .refused(.invalidSignature), setting: "proxy"),
        Refusal(
            code: "ValidationError",
            words: "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            status: 400, kind: .refused(.chainedTooLong), setting: "session-duration-seconds"),
        Refusal(
            code: "ValidationError",
            words: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", status: 400,
            kind: .refused(.tooLongForRole), setting: "session-duration-seconds"),
        Refusal(
            code: "ValidationError",
            words:
                "1 validation error detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must "
                + "have length greater than or equal to 2", status: 400, kind: .refused(.validation),
            setting: "role-session-name"),
        Refusal(
            code: "Throttling", words: "Rate exceeded", status: 400, kind: .throttled(retryAfterSeconds: nil),
            retry: .pause(seconds: nil), setting: "wait"),
        Refusal(
            code: "InternalFailure", words: "Oops", status: 500, kind: .server(retryAfterSeconds: nil),
            retry: .pause(seconds: nil), setting: "wait"),
    ]

    private static func error(
        _ body: String, status: Int, headers: [HeaderField] = []
    ) throws -> STSError {
        try #require(throws: STSError.self) {
            try STSResponse.assumedRole(
                STSAnswers.answer(body, status: status, headers: headers), to: STSAnswers.request())
        }
    }

    @Test("Each refusal has its kind, says what makes it worth asking again, and names the setting to change")
    func kinds() throws {
        for refusal in Self.refusals {
            let error = try Self.error(STSAnswers.refusal(refusal.code, refusal.words), status: refusal.status)
            #expect(error.kind == refusal.kind, "\(refusal.words)")
            #expect(error.retry == refusal.retry, "\(refusal.words)")
            #expect(error.hint?.contains(refusal.setting) == true, "\(refusal.words)")
            #expect(error.code == refusal.code)
            #expect(error.requestID == "c6104cbe-af31-11e0-8154-cbc7ccf896c7")
        }
    }

    @Test("Of a refusal only the first line is told: AWS repeats the signed text, with its session token, in the rest")
    func sessionToken() throws {
        let words = """
            The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key.

            The Canonical String for this request should have been
            'POST
            /

            x-amz-security-token:CANARY
            '
            """
        let error = try Self.error(STSAnswers.refusal("SignatureDoesNotMatch", words), status: 403)
        #expect(!"\(error)".contains("CANARY"))
        #expect(error.message.hasSuffix("Check your AWS Secret Access Key."))
    }

    @Test(
        "A clock that is off explains refusals of signatures and of keys",
        arguments: [
            ("SignatureDoesNotMatch", 61, true), ("SignatureDoesNotMatch", 60, false), ("AccessDenied", 241, true),
            ("AccessDenied", 240, false), ("InvalidClientTokenId", 600, true), ("PackedPolicyTooLarge", 600, false),
        ])
    func clock(code: String, seconds: Int, isClocks: Bool) throws {
        // 12:00:00 at STSAnswers.now.
        let minutes = String(seconds / 60 + 100).dropFirst()
        let date = "Sun, 01 Oct 2023 12:\(minutes):\(String(seconds % 60 + 100).dropFirst()) GMT"
        let error = try Self.error(
            STSAnswers.refusal(code, "no"), status: 403, headers: [HeaderField(name: "Date", value: date)])
        #expect(error.isClocks == isClocks)
        #expect((error.hint?.contains("timedatectl") == true) == isClocks)
        if isClocks { #expect(error.retry == .change) }
    }

    @Test("The service's own wait is kept, and answers of others are told apart from it")
    func others() throws {
        let wait = [HeaderField(name: "Retry-After", value: "7")]
        #expect(try Self.error("", status: 503, headers: wait).kind == .server(retryAfterSeconds: 7))
        #expect(try Self.error("slow down", status: 429, headers: wait).retry == .pause(seconds: 7))
        #expect(try Self.error("<html></html>", status: 403).kind == .foreign)
        #expect(try Self.error("", status: 302).kind == .redirect)
        #expect(try Self.error(STSAnswers.refusal("Novelty", "x"), status: 400).kind == .other)
    }
}
