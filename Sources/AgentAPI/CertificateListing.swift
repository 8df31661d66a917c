/// A certificate on a token, and what belongs to it there: `POST /v1/certificates`.
package struct CertificateListing: Message {
    package var uri = "?"
    /// PEM (RFC 7468).
    package var pem = "?"
    /// The certificates between it and its root, as far as the token has them, PEM.
    package var chain: [String] = []
    /// Where its private key is.
    package var keyURI: String?
    /// Why there is no private key that can be used as it is.
    package var keyReason: String?

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("uri", &uri)
        coder.member("pem", &pem)
        coder.member("chain", &chain)
        coder.member("key_uri", &keyURI)
        coder.member("key_reason", &keyReason)
    }
}
