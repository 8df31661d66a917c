/// What `/_emulator/last` tells about the last request that was judged; no secrets.
struct Trace: Encodable, Sendable {
    var method: String
    var target: String
    var canonicalRequest: String?
    var stringToSign: String?
    var verdict = "accepted"
    var code: String?
    var message: String?
    /// What the service would not say, such as OpenSSL's reason.
    var detail: String?
    /// As CloudTrail tells of each CreateSession; absent for other requests, and for what was not looked at any more.
    var missingSignedHeaders: [String]?
    var postEmptyBody: Bool?
    var algorithmMismatch: Bool?

    init(_ request: ReceivedRequest) {
        method = request.method
        target = request.target
    }

    /// Notes the canonical request, with the session token of a signed header left out.
    mutating func note(_ canonical: CanonicalRequest) {
        canonicalRequest = canonical.text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("x-amz-security-token:") ? "x-amz-security-token:‹redacted›" : $0 }
            .joined(separator: "\n")
    }
}
