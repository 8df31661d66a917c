import Testing

@testable import Emulator

@Suite("GetCallerIdentity")
struct GetCallerIdentityTests {
    private let issued = UTCTime(secondsSince1970: 1_696_161_600)  // 20231001T120000Z

    private func request(of session: IssuedSession, at time: UTCTime) throws -> ReceivedRequest {
        let unsigned = ReceivedRequest(
            method: "POST", target: "/",
            headers: [
                .init("host", "127.0.0.1"), .init("x-amz-date", time.basic),
                .init("x-amz-security-token", session.sessionToken),
            ], body: Array("Action=GetCallerIdentity&Version=2011-06-15".utf8))
        let names = unsigned.headers.map(\.name)
        let scope = CredentialScope(
            date: String(time.basic.prefix(8)), region: "us-east-1", service: "sts", terminator: "aws4_request")
        let stringToSign = try CanonicalRequest(unsigned, signedHeaders: names, equalsSigns: .once)
            .stringToSign(algorithm: "AWS4-HMAC-SHA256", date: time.basic, scope: scope.text)
        let signature = SigV4Signature.signature(of: stringToSign, secret: session.secretAccessKey, scope: scope)
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(session.accessKeyID)/\(scope.text), "
            + "SignedHeaders=\(names.joined(separator: ";")), Signature=\(Hex.encode(signature))"
        return ReceivedRequest(
            method: "POST", target: "/", headers: unsigned.headers + [.init("Authorization", authorization)],
            body: unsigned.body)
    }

    private func session() throws -> IssuedSession {
        let role = try #require(ResourceName("arn:aws:iam::111122223333:role/path/build"))
        return IssuedSession(
            SessionGrant(
                role: role, sessionName: "build-7", sourceIdentity: "CN=build", subjectARN: "",
                expiration: issued.advanced(by: 900)))
    }

    private func caller(
        of request: ReceivedRequest, among sessions: SessionTable, at now: UTCTime
    ) throws(STSError) -> Caller {
        var trace = Trace(request)
        return try SigV4Signature(callers: Callers(sessions: sessions), regions: ["us-east-1"], now: now)
            .caller(of: request, trace: &trace)
    }

    @Test("Credentials work until the second before they expire")
    func works() throws {
        let session = try session()
        var sessions = SessionTable()
        sessions.insert(session)
        let now = issued.advanced(by: 899)
        let request = try request(of: session, at: now)
        let xml = STSAnswer(try caller(of: request, among: sessions, at: now).identity).xml
        #expect(xml.contains("<Arn>arn:aws:sts::111122223333:assumed-role/build/build-7</Arn>"))
    }

    @Test("Credentials that have expired are told from unknown ones")
    func expires() throws {
        let session = try session()
        var sessions = SessionTable()
        sessions.insert(session)
        let now = issued.advanced(by: 900)
        let request = try request(of: session, at: now)
        let error = #expect(throws: STSError.self) {
            try caller(of: request, among: sessions, at: now)
        }
        #expect(error?.code == "ExpiredToken")
        let unknown = #expect(throws: STSError.self) {
            try caller(of: request, among: SessionTable(), at: now)
        }
        #expect(unknown?.code == "InvalidClientTokenId")
    }

    @Test("What a message quotes cannot become markup")
    func escapes() {
        let error = STSError(status: 400, code: "InvalidAction", message: "<b>\"&\u{0}")
        #expect(error.xml.contains("<Message>&lt;b&gt;&quot;&amp;?</Message>"))
    }
}
