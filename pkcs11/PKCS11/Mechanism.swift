import CP11Kit

/// A way to make the two signatures that Roles Anywhere takes: RSASSA-PKCS1-v1_5 and ECDSA, both over SHA-256.
package enum Mechanism: Sendable {
    /// CKM_SHA256_RSA_PKCS: the token hashes.
    case sha256RSAPKCS
    /// CKM_RSA_PKCS over a DigestInfo made here (RFC 8017 §9.2).
    case rsaPKCS
    /// CKM_ECDSA over a hash made here.
    case ecdsa
    /// CKM_ECDSA_SHA256: the token hashes.
    case ecdsaSHA256

    /// The mechanisms to try for a key type (CKA_KEY_TYPE), best first.
    package static func candidates(keyType: UInt64) -> [Mechanism] {
        switch keyType {
        case UInt64(CKK_RSA): [.sha256RSAPKCS, .rsaPKCS]
        case UInt64(CKK_EC): [.ecdsa, .ecdsaSHA256]
        default: []
        }
    }

    var rawValue: CK_MECHANISM_TYPE {
        switch self {
        case .sha256RSAPKCS: CK_MECHANISM_TYPE(CKM_SHA256_RSA_PKCS)
        case .rsaPKCS: CK_MECHANISM_TYPE(CKM_RSA_PKCS)
        case .ecdsa: CK_MECHANISM_TYPE(CKM_ECDSA)
        case .ecdsaSHA256: CK_MECHANISM_TYPE(CKM_ECDSA_SHA256)
        }
    }

    var isECDSA: Bool {
        switch self {
        case .ecdsa, .ecdsaSHA256: true
        case .sha256RSAPKCS, .rsaPKCS: false
        }
    }

    func input(message: [UInt8], sha256 digest: [UInt8]) -> [UInt8] {
        switch self {
        case .sha256RSAPKCS, .ecdsaSHA256: message
        case .rsaPKCS: Self.sha256DigestInfo + digest
        case .ecdsa: digest
        }
    }

    /// DER of DigestInfo for SHA-256, up to the digest itself (RFC 8017 §9.2, note 1).
    private static let sha256DigestInfo: [UInt8] = [
        0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
        0x20,
    ]
}

/// The key types by their PKCS#11 numbers.
package enum KeyType {
    package static let rsa = UInt64(CKK_RSA)
    package static let ec = UInt64(CKK_EC)
}
