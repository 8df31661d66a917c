import COpenSSL
package import SignatureSchemes

extension Certificate {
    /// True where `issuer` signed this certificate and may have: equal names, key identifiers that agree where both are
    /// there, keyCertSign where the issuer has a key usage, and a signature that its key verifies (RFC 5280 §6.1.3).
    ///
    /// Neither dates nor basicConstraints are looked at.
    package func isIssued(by issuer: Certificate) -> Bool {
        // Tokens hold hundreds of certificates; only a name that may be equal is worth two parses and a verification.
        guard namesAsIssuer(issuer) else { return false }
        return withCleanErrorQueue {
            guard let certificate = Self.parsed(der), let issuer = Self.parsed(issuer.der) else { return false }
            return unsafe certificate.use { certificate in
                unsafe issuer.use { issuer in
                    guard unsafe X509_check_issued(issuer, certificate) == X509_V_OK else { return false }
                    guard let key = unsafe X509_get0_pubkey(issuer) else { return false }
                    return unsafe X509_verify(certificate, key) == 1
                }
            }
        }
    }

    /// True where the issuer's name may be equal, and the key identifiers agree where both are there: a cheap first look.
    package func namesAsIssuer(_ issuer: Certificate) -> Bool {
        guard self.issuer.digest == issuer.subject.digest else { return false }
        guard let authorityKeyID, let subjectKeyID = issuer.subjectKeyID else { return true }
        return authorityKeyID == subjectKeyID
    }

    /// True where it is its own issuer.
    package var isSelfSigned: Bool { isIssued(by: self) }

    /// True where this certificate's key made `signature` over `message` by `scheme`. Always false for a scheme that is not
    /// of its kind of key.
    package func verifies(signature: [UInt8], message: [UInt8], scheme: SignatureScheme) -> Bool {
        PublicKeyInfo(of: self).verifies(signature: signature, message: message, scheme: scheme)
    }
}
