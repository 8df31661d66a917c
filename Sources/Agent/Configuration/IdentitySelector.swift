package import PKCS11URI

/// Which certificate a profile signs in with.
package struct IdentitySelector: Hashable, Sendable {
    package enum Certificate: Hashable, Sendable {
        /// Whatever the selectors leave, on any token.
        case any
        case token(PKCS11URI)
        /// An absolute path to a PEM or DER file; its key is on a token.
        case file(String)
    }
    package var certificate: Certificate
    /// Where else it is, in the order in which to try; `certificate` is a URI then.
    package var spares: [PKCS11URI]
    /// Which private key is meant: that of a certificate in a file, or on its own token.
    package var key: PKCS11URI?
    /// RFC 2253 text, or part of it; see `certificate-subject`.
    package var subject: String?
    package var issuer: String?
    /// Decimal or hexadecimal digits, as written; see `SerialNumberText`.
    package var serial: String?
    /// An absolute path to a PEM file with intermediate certificates.
    package var intermediates: String?

    package init(
        certificate: Certificate = .any, spares: [PKCS11URI] = [], key: PKCS11URI? = nil, subject: String? = nil,
        issuer: String? = nil,
        serial: String? = nil, intermediates: String? = nil
    ) {
        self.certificate = certificate
        self.spares = spares
        self.key = key
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
        self.intermediates = intermediates
    }
}
