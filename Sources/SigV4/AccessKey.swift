package import HeaderFields
import UTCTime

/// An access key, which signs requests with AWS4-HMAC-SHA256 (IAM user guide, "Create a signed AWS API request"). It
/// prints as `‹redacted›`.
package struct AccessKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let id: String
    private let secret: String
    /// Nil for a key that lasts.
    private let sessionToken: String?

    package init(id: String, secret: String, sessionToken: String? = nil) {
        self.id = id
        self.secret = secret
        self.sessionToken = sessionToken
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The request as of a moment, signed.
    ///
    /// - Parameter unixSeconds: Services take signatures for some minutes around their own clock.
    package func sign(_ request: UnsignedRequest, at unixSeconds: Int64, with hash: HashFunctions) -> SignedRequest {
        let scope = SigningScope(
            algorithm: "AWS4-HMAC-SHA256", time: UTCTime(secondsSince1970: unixSeconds), region: request.region,
            service: request.service)
        var headers = request.headers + [HeaderField(name: "X-Amz-Date", value: scope.time.basic)]
        if let sessionToken { headers.append(HeaderField(name: "X-Amz-Security-Token", value: sessionToken)) }
        let canonical = CanonicalRequest(
            method: request.method, path: CanonicalPath.text(request.path), query: request.query, headers: headers,
            bodyDigest: hash.sha256(request.body))
        let stringToSign = scope.stringToSign(canonicalDigest: hash.sha256(Array(canonical.text.utf8)))
        let key = [scope.day, request.region, request.service, "aws4_request"]
            .reduce(Array("AWS4\(secret)".utf8)) { hash.hmac($0, Array($1.utf8)) }
        let authorization = scope.authorization(
            credential: id, signedHeaders: canonical.signedHeaders,
            signature: hash.hmac(key, Array(stringToSign.utf8)))
        headers.append(HeaderField(name: "Authorization", value: authorization))
        return SignedRequest(headers: headers, canonicalRequest: canonical.text, stringToSign: stringToSign)
    }
}

/// A request to a service of a region, before it has a date and a signature.
package struct UnsignedRequest: Hashable, Sendable {
    package let service: String
    package let region: String
    package let method: String
    /// As it is sent.
    package let path: String
    /// As it is sent; see `CanonicalQuery`.
    package let query: String
    /// All that are to be signed, Host among them.
    package let headers: [HeaderField]
    package let body: [UInt8]

    package init(
        service: String, region: String, method: String = "POST", path: String = "/", query: String = "",
        headers: [HeaderField], body: [UInt8]
    ) {
        self.service = service
        self.region = region
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }
}

/// The signature of a request, in its headers.
package struct SignedRequest: Sendable {
    /// All headers to send.
    package let headers: [HeaderField]
    /// The text whose digest is in `stringToSign`. It holds the session token.
    package let canonicalRequest: String
    package let stringToSign: String
}

/// SHA-256 (FIPS 180-4), and HMAC with it (RFC 2104): this target has no cryptography.
package struct HashFunctions: Sendable {
    package let sha256: @Sendable ([UInt8]) -> [UInt8]
    package let hmac: @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]

    package init(
        sha256: @escaping @Sendable ([UInt8]) -> [UInt8],
        hmac: @escaping @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]
    ) {
        self.sha256 = sha256
        self.hmac = hmac
    }
}
