/// A CreateSession request of one moment: all but its signature.
package struct CreateSessionDraft: Hashable, Sendable {
    package let request: CreateSessionRequest
    let certificate: SigningCertificate
    /// All headers that are signed.
    package let headers: [HeaderField]
    let canonical: CanonicalRequest
    let signingScope: SigningScope
    /// What the key signs: these bytes, not yet hashed.
    package let stringToSign: [UInt8]

    package var method: String { request.method }
    package var path: String { request.path }
    package var query: String { request.query }
    package var url: String { request.url }
    package var body: [UInt8] { request.body }

    /// The text whose digest is in `stringToSign`; it holds no secret, and explains a refused signature.
    package var canonicalRequest: String { canonical.text }

    /// All headers to send.
    ///
    /// - Parameter signature: PKCS #1 v1.5 for RSA, DER `Ecdsa-Sig-Value` for EC, over the SHA-256 of `stringToSign`.
    package func signed(signature: [UInt8]) -> [HeaderField] {
        let authorization = signingScope.authorization(
            serial: certificate.serial, signedHeaders: canonical.signedHeaders, signature: signature)
        return headers + [HeaderField(name: "Authorization", value: authorization)]
    }
}
