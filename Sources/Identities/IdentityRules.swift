package import X509

/// The service's rules for a certificate (IAM Roles Anywhere user guide, "Signature verification" and "Trust model"), with
/// the limits of our own requests.
package enum IdentityRules {
    /// The largest certificate that is sent, in bytes: as base64 in a header it must pass every proxy on the way.
    package static let maximumCertificateSize = 16_384

    /// The longest serial number that a request names, in decimal digits. RFC 5280 §4.1.2.2 allows 20 bytes, which are 49.
    package static let maximumSerialDigits = 64

    /// All reasons against a certificate at a time, in seconds since 1970.
    package static func reasons(against certificate: Certificate, at now: Int64) -> [DropReason] {
        var reasons: [DropReason] = []
        if now > certificate.notAfter { reasons.append(.expired(certificate.notAfter)) }
        if now < certificate.notBefore { reasons.append(.notYetValid(certificate.notBefore)) }
        if certificate.isYubiKeyAttestation { reasons.append(.attestation) }
        if certificate.version != 3 { reasons.append(.oldVersion(certificate.version)) }
        if certificate.isCA { reasons.append(.certificateAuthority) }
        switch certificate.keyUsage {
        case nil: reasons.append(.noKeyUsage)
        case let usage? where !usage.contains(.digitalSignature): reasons.append(.noDigitalSignature)
        default: break
        }
        if let hash = certificate.signatureHash, weakHashes.contains(hash) {
            reasons.append(.weakSignature(hash: hash))
        }
        if certificate.subject.isEmpty { reasons.append(.emptySubject) }
        let serial = certificate.serial.decimal
        if serial.hasPrefix("-") {
            reasons.append(.negativeSerial)
        } else if serial.utf8.count > maximumSerialDigits {
            reasons.append(.longSerial(digits: serial.utf8.count))
        }
        if !isSupported(certificate.publicKey) { reasons.append(.unsupportedKey(certificate.publicKey.description)) }
        if certificate.der.count > maximumCertificateSize {
            reasons.append(.tooLargeToSend(bytes: certificate.der.count))
        }
        return reasons
    }

    /// Those weaker than SHA-256, by OpenSSL's names in lower case.
    private static let weakHashes: Set = ["md2", "md4", "md5", "md5-sha1", "mdc2", "ripemd160", "sha1", "sha224"]

    /// Whether the service takes such a key.
    package static func isSupported(_ key: PublicKey) -> Bool {
        switch key {
        case .rsa(let modulus, _): (2048...4096).contains(PublicKey.bits(modulus))
        case .ec(.p256, _), .ec(.p384, _), .ec(.p521, _): true
        case .ec(.other, _), .other: false
        }
    }
}
