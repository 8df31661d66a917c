import HeaderFields
import ServiceAnswers
import Testing

@testable import RolesAnywhere

@Suite struct CreateSessionResponseTests {
    static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    static let type = HeaderField(name: "content-type", value: "application/json")

    static func body(
        keyID: String = #""ASIAIOSFODNN7EXAMPLE""#, secret: String = "\"\(secret)\"",
        token: String = #""FwoGZXIvYXdzEXAMPLE/+==""#, expiration: String = #""2023-10-01T13:00:00Z""#,
        role: String = #""arn:aws:iam::123456789012:role/test""#,
        assumed: String = #""arn:aws:sts::123456789012:assumed-role/test/03ec7edc""#
    ) -> String {
        """
        {"credentialSet":[{"assumedRoleUser":{"arn":\(assumed),"assumedRoleId":"AROA:03ec7edc"},
        "credentials":{"accessKeyId":\(keyID),"secretAccessKey":\(secret),"sessionToken":\(token),
        "expiration":\(expiration)},"packedPolicySize":10,"roleArn":\(role),"sourceIdentity":"CN=test"}],
        "subjectArn":"arn:aws:rolesanywhere:eu-west-2:123456789012:subject/41cl0bae"}
        """
    }

    static func parse(
        _ body: String, status: Int = 201, headers: [HeaderField] = [type],
        role: String = "arn:aws:iam::123456789012:role/test"
    ) throws -> SessionCredentials {
        try CreateSessionResponse.parse(
            ServiceAnswer(status: status, headers: headers, body: Array(body.utf8), receivedAt: SessionFixture.now),
            to: SessionFixture.request(role: role))
    }

    @Test("The answer that the API reference shows gives its credentials", arguments: [200, 201])
    func success(status: Int) throws {
        let credentials = try Self.parse(Self.body(), status: status)
        #expect(credentials.accessKeyID == "ASIAIOSFODNN7EXAMPLE")
        #expect(credentials.secretAccessKey == Self.secret)
        #expect(credentials.sessionToken == "FwoGZXIvYXdzEXAMPLE/+==")
        #expect(credentials.expiration == SessionFixture.now + 3600)
        #expect(credentials.accountID == "123456789012")
    }

    @Test("Credentials print as nothing")
    func redaction() throws {
        let credentials = try Self.parse(Self.body())
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), dumped, "\([credentials])"] {
            #expect(!text.contains(Self.secret) && !text.contains("FwoG") && !text.contains("ASIA"))
        }
    }

    @Test("A role with a path is assumed by its name")
    func roleWithPath() throws {
        let role = "arn:aws:iam::123456789012:role/service/test"
        _ = try Self.parse(Self.body(role: "\"\(role)\""), role: role)
    }

    @Test(
        "An incomplete or odd answer is refused where it is odd",
        arguments: [
            ("{}", "credentialSet"), ("[]", "credentialSet"), (#"{"credentialSet":[]}"#, "credentialSet"),
            (#"{"credentialSet":{}}"#, "credentialSet"), (#"{"credentialSet":[{},{}]}"#, "credentialSet"),
            (#"{"credentialSet":[null]}"#, "roleArn"), (#"{"credentialSet":[{}]}"#, "roleArn"),
            (#"{"credentialSet":[{"roleArn":"arn:aws:iam::123456789012:role/test"}]}"#, "credentials.expiration"),
            (body(role: "7"), "roleArn"), (body(role: "null"), "roleArn"),
            (body().replacing("\"roleArn\"", with: "\"anotherArn\""), "roleArn"),
            (body(assumed: "\"x\""), "assumedRoleUser.arn"),
            (body(assumed: "null"), "assumedRoleUser.arn"),
            (body(keyID: "null"), "credentials.accessKeyId"), (body(keyID: "\"\""), "credentials.accessKeyId"),
            (body(keyID: "\"ASIA\""), "credentials.accessKeyId"),
            (body(keyID: "\"asiaiosfodnn7example\""), "credentials.accessKeyId"),
            (body(keyID: "\"\(String(repeating: "A", count: 129))\""), "credentials.accessKeyId"),
            (body(secret: "12345678901234567890"), "credentials.secretAccessKey"),
            (body(secret: #""wJalrXUtnFEMI/K7MDENG\nbPxRfiCY""#), "credentials.secretAccessKey"),
            (body(secret: #""wJalrXUtnFEMI/K7MDENG\u0000bPxRfiCY""#), "credentials.secretAccessKey"),
            (body(secret: #""short""#), "credentials.secretAccessKey"),
            (body(token: "\"\""), "credentials.sessionToken"), (body(token: "\"a b\""), "credentials.sessionToken"),
            (body(token: "\"é\""), "credentials.sessionToken"),
            (body(expiration: "1696165200"), "credentials.expiration"),
            (body(expiration: "\"2023-10-01 13:00:00 UTC\""), "credentials.expiration"),
            (body(expiration: "\"2023-10-01T13:10:01Z\""), "credentials.expiration, later than asked for"),
            (body(expiration: "\"9999-12-31T23:59:59Z\""), "credentials.expiration, later than asked for"),
            ("{\"subjectArn\":\"a\",\"subjectArn\":\"b\"}", "the JSON text"), ("", "the JSON text"),
            (String(body().dropLast()), "the JSON text"), (body() + "x", "the JSON text"),
        ])
    func malformed(body: String, field: String) throws {
        let error = #expect(throws: CreateSessionError.self) { try Self.parse(body) }
        #expect(error?.kind == .malformed(field: field))
        #expect(error?.message == "the answer of Roles Anywhere is not valid at \(field)")
    }

    @Test("Lengths have their limits")
    func lengths() throws {
        let token = String(repeating: "A", count: 16_384)
        _ = try Self.parse(Self.body(token: "\"\(token)\""))
        let long = #expect(throws: CreateSessionError.self) { try Self.parse(Self.body(token: "\"\(token)A\"")) }
        #expect(long?.kind == .malformed(field: "credentials.sessionToken"))
        let padding = String(repeating: " ", count: 262_144)
        let huge = #expect(throws: CreateSessionError.self) { try Self.parse(padding + Self.body()) }
        #expect(huge?.kind == .malformed(field: "the JSON text"))
    }

    @Test(
        "Credentials that have expired, or are about to, are refused",
        arguments: ["2023-10-01T12:01:00Z", "2023-10-01T12:00:00Z", "1970-01-01T00:00:00Z"])
    func expired(expiration: String) {
        let error = #expect(throws: CreateSessionError.self) {
            try Self.parse(Self.body(expiration: "\"\(expiration)\""))
        }
        #expect(error?.kind == .expiredAnswer)
    }

    @Test(
        "Sixty-one seconds and ten minutes beyond the duration are the bounds",
        arguments: ["2023-10-01T12:01:01Z", "2023-10-01T13:10:00Z"])
    func bounds(expiration: String) throws {
        _ = try Self.parse(Self.body(expiration: "\"\(expiration)\""))
    }

    @Test(
        "Credentials for another role are refused",
        arguments: [
            body(role: #""arn:aws:iam::123456789012:role/admin""#),
            body(role: #""arn:aws:iam::999999999999:role/test""#),
            body(assumed: #""arn:aws:sts::123456789012:assumed-role/admin/x""#),
            body(assumed: #""arn:aws:sts::999999999999:assumed-role/test/x""#),
            body(assumed: #""arn:aws-cn:sts::123456789012:assumed-role/test/x""#),
            body(assumed: #""arn:aws:sts::123456789012:assumed-role/test""#),
            body(assumed: #""arn:aws:iam::123456789012:role/test""#),
        ])
    func wrongRole(body: String) {
        let error = #expect(throws: CreateSessionError.self) { try Self.parse(body) }
        #expect(error?.kind == .wrongRole)
    }

    @Test(
        "An answer that is no JSON is taken for a captive portal",
        arguments: [(200, "text/html"), (201, "text/plain"), (403, "text/html"), (404, "")])
    func foreign(status: Int, type: String) {
        let error = #expect(throws: CreateSessionError.self) {
            try Self.parse("<html>", status: status, headers: [HeaderField(name: "Content-Type", value: type)])
        }
        #expect(error?.kind == .foreign)
        #expect(error?.hint(issuer: "CN=Root", chainCount: 0)?.contains("captive portal") == true)
    }
}
