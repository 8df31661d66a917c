import CP11Kit
package import SignatureSchemes

/// A way to have a token make the signature of a scheme.
package struct Mechanism: Hashable, Sendable {
    let scheme: SignatureScheme
    /// The token hashes the message; else it gets the hash, which for PKCS #1 v1.5 stands in a DigestInfo.
    let hashes: Bool

    /// The mechanisms to try for a key type (CKA_KEY_TYPE), best first; none where such a key makes no such signature.
    package static func candidates(for scheme: SignatureScheme, keyType: UInt64) -> [Mechanism] {
        switch (scheme.algorithm, keyType) {
        case (.rsaPKCS1, KeyType.rsa): [true, false].map { Mechanism(scheme: scheme, hashes: $0) }
        case (.rsaPSS, KeyType.rsa), (.ecdsa, KeyType.ec): [false, true].map { Mechanism(scheme: scheme, hashes: $0) }
        default: []
        }
    }

    var rawValue: CK_MECHANISM_TYPE {
        let number =
            switch (scheme.algorithm, scheme.hash, hashes) {
            case (.ecdsa, _, false): CKM_ECDSA
            case (.ecdsa, .sha256, true): CKM_ECDSA_SHA256
            case (.ecdsa, .sha384, true): CKM_ECDSA_SHA384
            case (.ecdsa, .sha512, true): CKM_ECDSA_SHA512
            case (.rsaPKCS1, _, false): CKM_RSA_PKCS
            case (.rsaPKCS1, .sha256, true): CKM_SHA256_RSA_PKCS
            case (.rsaPKCS1, .sha384, true): CKM_SHA384_RSA_PKCS
            case (.rsaPKCS1, .sha512, true): CKM_SHA512_RSA_PKCS
            case (.rsaPSS, _, false): CKM_RSA_PKCS_PSS
            case (.rsaPSS, .sha256, true): CKM_SHA256_RSA_PKCS_PSS
            case (.rsaPSS, .sha384, true): CKM_SHA384_RSA_PKCS_PSS
            case (.rsaPSS, .sha512, true): CKM_SHA512_RSA_PKCS_PSS
            }
        return CK_MECHANISM_TYPE(number)
    }

    var isECDSA: Bool { scheme.algorithm == .ecdsa }

    /// CK_RSA_PKCS_PSS_PARAMS (PKCS#11 2.40 mechanisms §2.1.10); nil for mechanisms without parameters.
    var pssParameters: CK_RSA_PKCS_PSS_PARAMS? {
        guard scheme.algorithm == .rsaPSS else { return nil }
        let (hash, mask) =
            switch scheme.hash {
            case .sha256: (CKM_SHA256, CKG_MGF1_SHA256)
            case .sha384: (CKM_SHA384, CKG_MGF1_SHA384)
            case .sha512: (CKM_SHA512, CKG_MGF1_SHA512)
            }
        return CK_RSA_PKCS_PSS_PARAMS(
            hashAlg: CK_MECHANISM_TYPE(hash), mgf: UInt(mask), sLen: CK_ULONG(scheme.hash.length))
    }

    /// What C_Sign gets.
    ///
    /// - Parameter digest: The hash of `message`; for ECDSA cut to the length of the curve's order.
    func input(message: [UInt8], digest: [UInt8]) -> [UInt8] {
        if hashes { return message }
        return scheme.algorithm == .rsaPKCS1 ? scheme.hash.digestInfoHeader + digest : digest
    }

    /// Whether a token that lists these mechanisms (C_GetMechanismList) makes signatures with keys of this type at all.
    package static func areForSignatures(of keyType: UInt64, _ listed: Set<UInt64>) -> Bool {
        [SignatureScheme.Algorithm.ecdsa, .rsaPKCS1, .rsaPSS].contains { algorithm in
            SignatureScheme.Hash.allCases.contains { hash in
                candidates(for: SignatureScheme(algorithm, hash), keyType: keyType)
                    .contains { listed.contains(UInt64($0.rawValue)) }
            }
        }
    }

    /// Whether a token that lists these mechanisms (C_GetMechanismList) makes RSA-PSS signatures with each hash of TLS.
    package static func includePSS(_ listed: Set<UInt64>) -> Bool {
        SignatureScheme.Hash.allCases.allSatisfy { hash in
            candidates(for: SignatureScheme(.rsaPSS, hash), keyType: KeyType.rsa)
                .contains { listed.contains(UInt64($0.rawValue)) }
        }
    }
}

extension SignatureScheme.Hash {
    /// DER of DigestInfo, up to the digest itself (RFC 8017 §9.2, note 1).
    fileprivate var digestInfoHeader: [UInt8] {
        [
            0x30, 0x11 + UInt8(length), 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            rawValue,
            0x05, 0x00, 0x04, UInt8(length),
        ]
    }
}

/// The key types by their PKCS#11 numbers.
package enum KeyType {
    package static let rsa = UInt64(CKK_RSA)
    package static let ec = UInt64(CKK_EC)
    package static let genericSecret = UInt64(CKK_GENERIC_SECRET)
    package static let sha256HMAC = UInt64(CKK_SHA256_HMAC)
}
