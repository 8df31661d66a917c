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
        request.signed(by: id, sessionToken: sessionToken, at: unixSeconds, sha256: hash.sha256) { day, texts in
            ([Array(day.utf8)] + texts).reduce(Array("AWS4\(secret)".utf8)) { hash.hmac($0, $1) }
        }
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

    /// The request as of a moment, signed by an access key whose secret is elsewhere.
    ///
    /// - Parameters:
    ///   - id: Of the access key.
    ///   - unixSeconds: Services take signatures for some minutes around their own clock.
    ///   - chain: Makes a chain of HMACs, whose last is the signature: the first with SigV4's date key for this day
    ///     (`yyyyMMdd`) over the first text, each other with the result of the one before it over the next text.
    package func signed<Failure: Error>(
        by id: String, sessionToken: String? = nil, at unixSeconds: Int64, sha256: ([UInt8]) -> [UInt8],
        chain: (_ day: String, _ texts: [[UInt8]]) throws(Failure) -> [UInt8]
    ) throws(Failure) -> SignedRequest {
        let scope = SigningScope(
            algorithm: "AWS4-HMAC-SHA256", time: UTCTime(secondsSince1970: unixSeconds), region: region,
            service: service)
        var headers = headers + [HeaderField(name: "X-Amz-Date", value: scope.time.basic)]
        if let sessionToken { headers.append(HeaderField(name: "X-Amz-Security-Token", value: sessionToken)) }
        let canonical = CanonicalRequest(
            method: method, path: CanonicalPath.text(path), query: query, headers: headers, bodyDigest: sha256(body))
        let stringToSign = scope.stringToSign(canonicalDigest: sha256(Array(canonical.text.utf8)))
        let signature = try chain(scope.day, [region, service, "aws4_request", stringToSign].map { Array($0.utf8) })
        let authorization = scope.authorization(
            credential: id, signedHeaders: canonical.signedHeaders, signature: signature)
        headers.append(HeaderField(name: "Authorization", value: authorization))
        return SignedRequest(headers: headers, canonicalRequest: canonical.text, stringToSign: stringToSign)
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
