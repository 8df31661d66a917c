import ASN1
package import DistinguishedNames
package import SignatureSchemes

/// A request for a client's certificate (PKCS #10, RFC 2986), around a signature that is made elsewhere.
///
/// It asks for keyUsage digitalSignature and extendedKeyUsage clientAuth, which is what sessions of Roles Anywhere and of IoT
/// Core need and no more; a CA may decide otherwise.
package struct CertificateRequest: Hashable, Sendable {
    /// CertificationRequestInfo, DER: the bytes to sign.
    package let toBeSigned: [UInt8]

    /// - Parameter publicKeyInfo: SubjectPublicKeyInfo of the key that will sign, DER.
    package init(subject: SubjectName, publicKeyInfo: [UInt8], alternativeNames: [AlternativeName] = []) {
        var extensions = [
            Self.extension("2.5.29.15", isCritical: true, [0x03, 0x02, 0x07, 0x80]),  // keyUsage: bit 0 alone
            Self.extension("2.5.29.37", DER.sequence(Self.identifier("1.3.6.1.5.5.7.3.2"))),
        ]
        if !alternativeNames.isEmpty {
            extensions.append(
                Self.extension("2.5.29.17", DER.value(.sequence, alternativeNames.flatMap(\.der))))
        }
        let extensionRequest = DER.sequence(  // RFC 2985 §5.4.2
            Self.identifier("1.2.840.113549.1.9.14"),
            DER.set(of: [DER.value(.sequence, extensions.flatMap { $0 })]))
        toBeSigned = DER.sequence(
            DER.unsigned([0]), subject.der, publicKeyInfo, DER.value(tag: 0xA0, extensionRequest))
    }

    /// The request, DER.
    ///
    /// - Parameters:
    ///   - signature: Over `toBeSigned`: PKCS #1 v1.5, or a DER `Ecdsa-Sig-Value`.
    ///   - scheme: How it was made; nil is returned for RSA-PSS, which few CAs take of a request.
    package func signed(_ signature: [UInt8], by scheme: SignatureScheme) -> [UInt8]? {
        guard let algorithm = scheme.algorithmIdentifier else { return nil }
        return DER.sequence(toBeSigned, algorithm, DER.bitString(signature))
    }

    private static func `extension`(_ name: String, isCritical: Bool = false, _ value: [UInt8]) -> [UInt8] {
        DER.sequence(
            identifier(name), isCritical ? DER.value(.boolean, [0xFF]) : [], DER.value(.octetString, value))
    }

    private static func identifier(_ dotted: String) -> [UInt8] { DER.objectIdentifier(dotted) ?? [] }
}

extension SignatureScheme {
    /// AlgorithmIdentifier of RFC 5758 §3.2 or RFC 4055 §5.
    fileprivate var algorithmIdentifier: [UInt8]? {
        switch algorithm {
        case .ecdsa:
            let arc =
                switch hash {
                case .sha256: 2
                case .sha384: 3
                case .sha512: 4
                }
            return DER.sequence(DER.objectIdentifier("1.2.840.10045.4.3.\(arc)") ?? [])
        case .rsaPKCS1:
            let arc =
                switch hash {
                case .sha256: 11
                case .sha384: 12
                case .sha512: 13
                }
            return DER.sequence(DER.objectIdentifier("1.2.840.113549.1.1.\(arc)") ?? [], DER.null)
        case .rsaPSS: return nil
        }
    }
}
