import ASN1
import COpenSSL
package import SignatureSchemes

/// A public key as certificates and requests have it (RFC 5280 §4.1.2.7).
package struct PublicKeyInfo: Hashable, Sendable {
    package let key: PublicKey
    /// SubjectPublicKeyInfo, DER.
    package let der: [UInt8]

    private init(key: PublicKey, der: [UInt8]) {
        self.key = key
        self.der = der
    }

    package init(of certificate: Certificate) {
        self.init(key: certificate.publicKey, der: certificate.subjectPublicKeyInfo)
    }

    /// An RSA key (RFC 3279 §2.3.1). Nil where OpenSSL does not take it.
    ///
    /// - Parameters: Unsigned big-endian.
    package init?(modulus: [UInt8], exponent: [UInt8]) {
        let key = DER.sequence(DER.unsigned(modulus), DER.unsigned(exponent))
        self.init(algorithm: Self.identifier("1.2.840.113549.1.1.1") + DER.null, key: key)
    }

    /// A key on a named curve (RFC 5480 §2), in its uncompressed form. Nil where the point is not on the curve.
    ///
    /// - Parameters:
    ///   - parameters: The curve's object identifier, DER.
    ///   - point: Compressed or not (SEC 1 §2.3.3).
    package init?(curve parameters: [UInt8], point: [UInt8]) {
        let algorithm = Self.identifier("1.2.840.10045.2.1") + parameters
        guard let read = Self(algorithm: algorithm, key: point) else { return nil }
        guard case .ec(_, let uncompressed) = read.key, uncompressed != point else {
            self = read
            return
        }
        self.init(algorithm: algorithm, key: uncompressed)
    }

    private init?(algorithm: [UInt8], key: [UInt8]) {
        let der = DER.sequence(DER.value(.sequence, algorithm), DER.bitString(key))
        let read: PublicKey? = withCleanErrorQueue {
            let decoded = unsafe der.withUnsafeBufferPointer { buffer in
                var cursor = buffer.baseAddress
                return unsafe d2i_X509_PUBKEY(nil, &cursor, buffer.count)
            }
            guard let info = unsafe Owned(decoded, freedBy: { unsafe X509_PUBKEY_free($0) }) else { return nil }
            return unsafe info.use { unsafe PublicKey(info: $0) }
        }
        switch read {
        case .rsa?, .ec?: self.init(key: read ?? .other(""), der: der)
        case .other?, nil: return nil
        }
    }

    private static func identifier(_ dotted: String) -> [UInt8] { DER.objectIdentifier(dotted) ?? [] }

    /// True where this key made `signature` over `message` by `scheme`. Always false for a scheme that is not of its kind of
    /// key.
    package func verifies(signature: [UInt8], message: [UInt8], scheme: SignatureScheme) -> Bool {
        switch (key, scheme.algorithm) {
        case (.ec, .ecdsa), (.rsa, .rsaPKCS1), (.rsa, .rsaPSS): break
        default: return false
        }
        return withCleanErrorQueue {
            let decoded = unsafe der.withUnsafeBufferPointer { buffer in
                var cursor = buffer.baseAddress
                return unsafe d2i_PUBKEY(nil, &cursor, buffer.count)
            }
            guard let key = unsafe Owned(decoded, freedBy: { unsafe EVP_PKEY_free($0) }),
                let context = unsafe Owned(EVP_MD_CTX_new(), freedBy: { unsafe EVP_MD_CTX_free($0) })
            else { return false }
            return unsafe key.use { key in
                unsafe context.use { context in
                    var options: OpaquePointer?
                    guard unsafe EVP_DigestVerifyInit(context, &options, scheme.hash.digest, nil, key) == 1 else {
                        return false
                    }
                    if scheme.algorithm == .rsaPSS {
                        guard unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1,
                            unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1
                        else { return false }
                    }
                    return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
                }
            }
        }
    }
}
