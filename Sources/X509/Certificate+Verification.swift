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
        switch (publicKey, scheme.algorithm) {
        case (.ec, .ecdsa), (.rsa, .rsaPKCS1), (.rsa, .rsaPSS): break
        default: return false
        }
        return withCleanErrorQueue {
            let decoded = unsafe subjectPublicKeyInfo.withUnsafeBufferPointer { buffer in
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
