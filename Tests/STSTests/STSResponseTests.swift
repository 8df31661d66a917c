import AWSNames
import HeaderFields
import STS
import ServiceAnswers
import Testing

@Suite struct STSResponseTests {
    private static func read(_ body: String, options: AssumeRoleOptions? = nil) throws -> AssumedRole {
        try STSResponse.assumedRole(STSAnswers.answer(body), to: STSAnswers.request(options: options))
    }

    @Test("The answer of the API reference gives its credentials, ARN, packed size and source identity")
    func assumed() throws {
        let role = try Self.read(STSAnswers.assumed)
        #expect(role.credentials.accessKeyID == "ASIAIOSFODNN7EXAMPLE")
        #expect(role.credentials.secretAccessKey == "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY")
        #expect(role.credentials.sessionToken.hasPrefix("AQoDYXdzEPT//////////wEXAMPLE"))
        #expect(role.credentials.expiration == STSAnswers.now + 3600)
        #expect(role.credentials.accountID == "123456789012")
        #expect("\(role.arn)" == "arn:aws:sts::123456789012:assumed-role/demo/TestAR")
        #expect(role.packedPolicySize == 6)
        #expect(role.sourceIdentity == "Alice")
        #expect(!"\(role)".contains("wJalr"))
    }

    @Test("GetSessionToken's answer gives credentials of the user's account")
    func session() throws {
        let body = STSAnswers.assumed.replacing("AssumeRole", with: "GetSessionToken")
        let request = try GetSessionTokenRequest(
            durationSeconds: 3600, accountID: "111122223333", service: STSService(region: "eu-west-2"))
        let credentials = try STSResponse.session(STSAnswers.answer(body), to: request)
        #expect(credentials.accountID == "111122223333")
        #expect(credentials.accessKeyID == "ASIAIOSFODNN7EXAMPLE")
    }

    @Test(
        "An answer that does not fit the request is not believed",
        arguments: [
            ("/demo/TestAR<", "/other/TestAR<", STSError.Kind.wrongRole),
            ("/demo/TestAR<", "/demo/Other<", .wrongRole),
            ("123456789012:assumed", "123456789013:assumed", .wrongRole),
            ("arn:aws:sts", "arn:aws-cn:sts", .wrongRole),
            ("<Arn>arn:", "<Arn>", .malformed(field: "AssumedRoleUser.Arn")),
            ("2023-10-01T13:00:00Z", "2023-10-01T12:00:30Z", .expiredAnswer),
            ("2023-10-01T13:00:00Z", "2020-10-01T12:00:30Z", .expiredAnswer),
            (
                "2023-10-01T13:00:00Z", "2023-10-01T13:10:01Z",
                .malformed(field: "Credentials.Expiration, later than asked for")
            ),
            ("2023-10-01T13:00:00Z", "tomorrow at the same time", .malformed(field: "Credentials.Expiration")),
            ("ASIAIOSFODNN7EXAMPLE", "ASIA-IOSFODNN7EXAMPLE", .malformed(field: "Credentials.AccessKeyId")),
            ("wJalrXUtnFEMI", "wJalr\u{7F}", .malformed(field: "Credentials.SecretAccessKey")),
            ("AQoDYXdz", "AQoD YXdz", .malformed(field: "Credentials.SessionToken")),
            ("<PackedPolicySize>6", "<PackedPolicySize>-6", .malformed(field: "PackedPolicySize")),
            ("</Credentials>", "</Credentials><Credentials></Credentials>", .foreign),
            ("</AssumeRoleResponse>", "", .foreign),
            ("AssumeRoleResult>", "Result>", .malformed(field: "the result")),
            ("<AssumeRoleResponse", "<!DOCTYPE x><AssumeRoleResponse", .foreign),
        ])
    func unfit(old: String, new: String, kind: STSError.Kind) throws {
        let error = try #require(throws: STSError.self) {
            try Self.read(STSAnswers.assumed.replacing(old, with: new))
        }
        #expect(error.kind == kind)
        #expect(error.retry == .pause(seconds: nil))
        #expect(!error.message.contains("wJalr") && !(error.hint ?? "").contains("wJalr"))
    }

    @Test("A session that another source identity stands on is not believed")
    func sourceIdentity() throws {
        let error = try #require(throws: STSError.self) {
            try Self.read(STSAnswers.assumed, options: AssumeRoleOptions(sourceIdentity: "Bob"))
        }
        #expect(error.kind == .malformed(field: "SourceIdentity"))
    }

    @Test("A web page with status 200, an empty and a huge answer are told as such")
    func foreign() throws {
        let page = "<html><body>Sign in to the hotel</body></html>"
        let huge = STSAnswers.assumed.replacing(
            "</AssumeRoleResponse>", with: String(repeating: " ", count: 262_144) + "</AssumeRoleResponse>")
        for (body, type, message) in [
            (page, "text/html", "the endpoint answered 200 with something that is not XML of STS"),
            (page, "text/xml", "the answer of STS is not valid at the XML text, a web page"),
            ("", "text/xml", "the endpoint answered 200 with something that is not XML of STS"),
            ("{}", "application/json", "the endpoint answered 200 with something that is not XML of STS"),
            (huge, "text/xml", "the answer of STS is not valid at the XML text, too large"),
        ] {
            let error = try #require(throws: STSError.self) {
                try STSResponse.assumedRole(STSAnswers.answer(body, type: type), to: STSAnswers.request())
            }
            #expect(error.message == message)
        }
    }
}
