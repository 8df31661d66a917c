/// An X.509 certificate, read once into values (RFC 5280).
///
/// Two are equal when their DER is.
package struct Certificate: Sendable {
    /// The largest certificate that is read, in bytes.
    package static let maximumSize = 65_536
    /// The longest serial number that is read, in bytes; RFC 5280 §4.1.2.2 allows 20.
    package static let maximumSerialSize = 64

    /// The certificate itself, without padding.
    package let der: [UInt8]
    /// 1 to 3.
    package let version: Int
    package let serial: SerialNumber
    package let subject: Name
    package let issuer: Name
    /// The first second of its life, in seconds since 1970.
    package let notBefore: Int64
    /// The last second of its life, in seconds since 1970.
    package let notAfter: Int64
    package let publicKey: PublicKey
    /// SubjectPublicKeyInfo, DER.
    package let subjectPublicKeyInfo: [UInt8]
    /// True where basicConstraints says so (RFC 5280 §4.2.1.9).
    package let isCA: Bool
    /// Nil where the extension is absent (RFC 5280 §4.2.1.3).
    package let keyUsage: KeyUsage?
    /// The hash under the issuer's signature, as `sha256`; nil where the algorithm has none of its own, as Ed25519.
    package let signatureHash: String?
    /// True with an extension under 1.3.6.1.4.1.41482.3: it states how a YubiKey's key was made and proves no person.
    package let isYubiKeyAttestation: Bool
    /// RFC 5280 §4.2.1.2.
    package let subjectKeyID: [UInt8]?
    /// The keyIdentifier of RFC 5280 §4.2.1.1.
    package let authorityKeyID: [UInt8]?
    /// SHA-256 over `der`.
    package let fingerprint: [UInt8]
}

extension Certificate: Hashable {
    package static func == (left: Self, right: Self) -> Bool { left.der == right.der }

    package func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
}

/// The bits of keyUsage that decide something here (RFC 5280 §4.2.1.3, as OpenSSL numbers them).
package struct KeyUsage: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let digitalSignature = Self(rawValue: 0x80)
    package static let keyCertSign = Self(rawValue: 0x04)
}
