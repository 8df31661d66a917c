/// The kind of a client's key, for a server that wants to know its client by a certificate.
package enum ClientKey: Hashable, Sendable {
    /// Any of the others: the key is still looked for.
    case unknown
    case p256
    case p384
    case p521
    /// RSA with either padding.
    case rsa
    /// RSA PKCS #1 v1.5 alone. Its place is TLS 1.2: TLS 1.3 takes RSA-PSS of RSA keys (RFC 8446 §4.4.3).
    case rsaWithoutPSS
}

/// A server's wish to know its client (CertificateRequest, RFC 8446 §4.3.2, RFC 5246 §7.4.4), as far as it decides which
/// keys can fulfil it.
struct CertificateRequest: Hashable, Sendable {
    let host: String
    let isTLS13: Bool
    /// What the server takes of all that tokens are asked for (RFC 8446 §4.2.3; in TLS 1.2 a hash and an algorithm).
    let schemes: Set<UInt16>

    /// - Throws: `.noCommonSignature` for a key that makes no signature that the server takes.
    func check(_ key: ClientKey) throws(TransportError) {
        guard schemes.isDisjoint(with: schemes(of: key)) else { return }
        throw .tls(.noCommonSignature, host: host)
    }

    private func schemes(of key: ClientKey) -> Set<UInt16> {
        let (pkcs1, pss): (Set<UInt16>, Set<UInt16>) = ([0x0401, 0x0501, 0x0601], [0x0804, 0x0805, 0x0806])
        // Only TLS 1.3 ties a hash to a curve.
        let ecdsa: Set<UInt16> = [0x0403, 0x0503, 0x0603]
        return switch key {
        case .unknown: schemes
        case .p256: isTLS13 ? [0x0403] : ecdsa
        case .p384: isTLS13 ? [0x0503] : ecdsa
        case .p521: isTLS13 ? [0x0603] : ecdsa
        case .rsa: isTLS13 ? pss : pss.union(pkcs1)
        case .rsaWithoutPSS: isTLS13 ? [] : pkcs1
        }
    }
}
