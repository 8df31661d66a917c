package import AWSNames
import Encodings
package import HeaderFields
import SigV4
import UTCTime

/// A CreateSession request, still without a certificate, a date and a signature.
package struct CreateSessionRequest: Hashable, Sendable {
    package let scope: SessionScope
    package let endpoint: Endpoint
    package let options: SessionOptions

    package init(scope: SessionScope, endpoint: Endpoint, options: SessionOptions) {
        self.scope = scope
        self.endpoint = endpoint
        self.options = options
    }

    /// The endpoint's base path included.
    package var path: String { endpoint.basePath + "/sessions" }

    /// Escaped and sorted. The ARNs stand here as the service's own SDK model has them, where they can; else it is empty.
    package var query: String { arnsAreInBody ? "" : CanonicalQuery.text(arns) }

    package var url: String { endpoint.url + "/sessions" + (arnsAreInBody ? "" : "?\(query)") }

    package var body: [UInt8] { options.json(with: arnsAreInBody ? arns : [:]) }

    private var arns: [String: String] {
        [
            "profileArn": scope.profileARN.description, "roleArn": scope.roleARN.description,
            "trustAnchorArn": scope.trustAnchorARN.description,
        ]
    }

    /// The name of a role may hold `=`. In a query the user guide ("Signing process") wants that escaped twice before it
    /// is signed, where AWS' programs escape it once; the service takes the ARNs in the body as well.
    private var arnsAreInBody: Bool { arns.values.contains { $0.contains("=") } }

    /// The request of a certificate's holder as of a moment, ready to be signed. Cheap and without effects: draft anew for
    /// each signature.
    ///
    /// - Parameters:
    ///   - unixSeconds: The service takes signatures for some five minutes around its own clock.
    ///   - sha256: SHA-256 (FIPS 180-4); this target has no cryptography.
    package func draft(
        by certificate: SigningCertificate, at unixSeconds: Int64, sha256: ([UInt8]) -> [UInt8]
    ) -> CreateSessionDraft {
        let scope = SigningScope(
            algorithm: certificate.keyKind.algorithm, time: UTCTime(secondsSince1970: unixSeconds),
            region: scope.region, service: "rolesanywhere")
        var headers = [
            HeaderField(name: "Content-Type", value: "application/json"),
            HeaderField(name: "Host", value: endpoint.host),
            HeaderField(name: "X-Amz-Date", value: scope.time.basic),
            HeaderField(name: "X-Amz-X509", value: Base64.encode(certificate.der)),
        ]
        if !certificate.chain.isEmpty {
            let chain = certificate.chain.map(Base64.encode).joined(separator: ",")
            headers.append(HeaderField(name: "X-Amz-X509-Chain", value: chain))
        }
        let canonical = CanonicalRequest(
            method: "POST", path: path, query: query, headers: headers, bodyDigest: sha256(body))
        return CreateSessionDraft(
            certificate: certificate, headers: headers, canonical: canonical, signingScope: scope,
            stringToSign: Array(scope.stringToSign(canonicalDigest: sha256(Array(canonical.text.utf8))).utf8))
    }
}

/// A CreateSession request of one moment: all but its signature.
package struct CreateSessionDraft: Hashable, Sendable {
    let certificate: SigningCertificate
    /// All headers that are signed.
    package let headers: [HeaderField]
    let canonical: CanonicalRequest
    let signingScope: SigningScope
    /// The bytes for the key to sign, not yet hashed.
    package let stringToSign: [UInt8]

    /// All headers to send.
    ///
    /// - Parameter signature: PKCS #1 v1.5 for RSA, DER `Ecdsa-Sig-Value` for EC, over the SHA-256 of `stringToSign`.
    package func signed(signature: [UInt8]) -> [HeaderField] {
        let authorization = signingScope.authorization(
            credential: certificate.serial, signedHeaders: canonical.signedHeaders, signature: signature)
        return headers + [HeaderField(name: "Authorization", value: authorization)]
    }
}
