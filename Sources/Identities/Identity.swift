package import PKCS11URI
package import TokenService
package import X509

/// A certificate and where its private key is.
package struct Identity: Hashable, Sendable {
    package let certificate: Certificate
    /// Nil where the certificate comes from a file.
    package let certificateURI: PKCS11URI?
    package let key: KeyLocation
}

/// Where a private key is, or should be.
package struct KeyLocation: Hashable, Sendable {
    package enum Visibility: Hashable, Sendable {
        /// The private key was seen.
        case seen(KeyObject)
        /// Its public half was seen, the private key needs a login first.
        case publicHalf(KeyObject)
        /// Nothing was seen: the token shows its keys after a login, if this one is there at all.
        case hidden
    }

    package let module: Int
    package let slotID: UInt64
    package let token: TokenDescription
    package let uri: PKCS11URI
    /// CKA_ID of the private key, as far as it is known.
    package let id: [UInt8]
    package let visibility: Visibility
    /// True where the token showed a public key that is the certificate's. Where it is not, nothing contradicts the
    /// pair, and the first signature shows whether it is one.
    package let isConfirmed: Bool

    /// True if the key needs a login before it can be used, as far as the token shows.
    package var needsLogin: Bool {
        if case .seen = visibility { return false }
        return true
    }
}
