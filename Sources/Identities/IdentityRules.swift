package import X509

/// The service's rules for a certificate (IAM Roles Anywhere user guide, "Signature verification" and "Trust model"), with
/// the limits of our own requests.
package enum IdentityRules {
    /// The largest certificate that is sent, in bytes: as base64 in a header it must pass every proxy on the way.
    package static let maximumCertificateSize = 16_384

    /// The longest serial number that a request names, in decimal digits. RFC 5280 §4.1.2.2 allows 20 bytes, which are 49.
    package static let maximumSerialDigits = 64

    /// One rule.
    package enum Rule: String, CaseIterable, Sendable {
        case validity, purpose, version
        case leaf
        case keyUsage = "key-usage"
        case signature, subject, serial, key, size

        /// What it wants.
        package var requirement: String {
            switch self {
            case .validity: "it is valid now"
            case .purpose: "it is no attestation"
            case .version: "it is X.509 version 3"
            case .leaf: "it is no CA's (basicConstraints)"
            case .keyUsage: "its key usage has digitalSignature"
            case .signature: "its issuer signed with SHA-256 or stronger"
            case .subject: "its subject is not empty"
            case .serial: "its serial number is positive, with at most \(IdentityRules.maximumSerialDigits) digits"
            case .key: "its key is RSA 2048 to 4096, EC P-256, P-384 or P-521"
            case .size: "it has at most \(IdentityRules.maximumCertificateSize) bytes"
            }
        }

        /// Why the certificate breaks the rule at a time, in seconds since 1970; nil where it does not.
        package func reason(against certificate: Certificate, at now: Int64) -> DropReason? {
            switch self {
            case .validity:
                if now > certificate.notAfter { return .expired(certificate.notAfter) }
                return now < certificate.notBefore ? .notYetValid(certificate.notBefore) : nil
            case .purpose: return certificate.isYubiKeyAttestation ? .attestation : nil
            case .version: return certificate.version == 3 ? nil : .oldVersion(certificate.version)
            case .leaf: return certificate.isCA ? .certificateAuthority : nil
            case .keyUsage:
                guard let usage = certificate.keyUsage else { return .noKeyUsage }
                return usage.contains(.digitalSignature) ? nil : .noDigitalSignature
            case .signature:
                guard let hash = certificate.signatureHash, weakHashes.contains(hash) else { return nil }
                return .weakSignature(hash: hash)
            case .subject: return certificate.subject.isEmpty ? .emptySubject : nil
            case .serial:
                let serial = certificate.serial.decimal
                if serial.hasPrefix("-") { return .negativeSerial }
                return serial.utf8.count > maximumSerialDigits ? .longSerial(digits: serial.utf8.count) : nil
            case .key:
                return isSupported(certificate.publicKey) ? nil : .unsupportedKey(certificate.publicKey.description)
            case .size:
                let count = certificate.der.count
                return count > maximumCertificateSize ? .tooLargeToSend(bytes: count) : nil
            }
        }
    }

    /// All reasons against a certificate at a time, in seconds since 1970.
    package static func reasons(against certificate: Certificate, at now: Int64) -> [DropReason] {
        Rule.allCases.compactMap { $0.reason(against: certificate, at: now) }
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
