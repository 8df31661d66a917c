/// The report at `/_emulator/counters`.
struct Counters: Encodable, Sendable {
    var connections = 0
    var tlsHandshakes = 0
    /// Every POST to /sessions, whatever its result.
    var createSessionRequests = 0
    var sessionsCreated = 0
    /// By error code, CreateSession and STS together.
    var refused: [String: Int] = [:]
    /// Every POST to /, whatever its result.
    var stsCalls = 0
    var assumeRoleRequests = 0
    var getSessionTokenRequests = 0
    /// Sessions that AssumeRole and GetSessionToken have brought.
    var stsSessions = 0
    /// Handshakes at the endpoint of IoT by the version of TLS: those that the server has finished.
    var iotHandshakes: [String: Int] = [:]
    /// Those among them in which one algorithm alone was allowed for CertificateVerify.
    var iotSignatures: [String: Int] = [:]
    var iotRequests = 0
    var iotSessions = 0
    var faults = 0
    /// Requests to the place that the fault `redirect` points to.
    var redirectsFollowed = 0

    mutating func count(_ action: String) {
        switch action {
        case "AssumeRole": assumeRoleRequests += 1
        case "GetSessionToken": getSessionTokenRequests += 1
        default: break
        }
    }
}

/// The report at `/_emulator/last`, about the last request that was judged; no secrets.
struct Trace: Encodable, Sendable {
    var method: String
    var target: String
    var canonicalRequest: String?
    var stringToSign: String?
    var thingName: String?
    /// The parameters of a form, without the MFA code.
    var parameters: [String: String]?
    var verdict = "accepted"
    var code: String?
    var message: String?
    /// A reason that the service keeps to itself, such as OpenSSL's.
    var detail: String?
    /// As CloudTrail reports them for each CreateSession; absent for other requests, and for checks that were not reached.
    var missingSignedHeaders: [String]?
    var postEmptyBody: Bool?
    var algorithmMismatch: Bool?

    init(_ request: ReceivedRequest) {
        method = request.method
        target = request.target
    }

    mutating func note(_ form: FormFields) {
        parameters = form.all
        if parameters?["TokenCode"] != nil { parameters?["TokenCode"] = "‹redacted›" }
    }

    /// Notes the canonical request, with the session token of a signed header left out.
    mutating func note(_ canonical: CanonicalRequest) {
        canonicalRequest = canonical.text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("x-amz-security-token:") ? "x-amz-security-token:‹redacted›" : $0 }
            .joined(separator: "\n")
    }
}
