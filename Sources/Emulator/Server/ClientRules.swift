import NIOSSL

/// What the endpoint of IoT wants of its clients' TLS.
package struct ClientRules: Sendable {
    package enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// Nil: both.
    let version: Version?
    /// For the clients' signatures, by IANA's names; empty: what BoringSSL takes.
    let algorithms: [String]

    /// - Throws: A name that is not known here.
    package init(version: Version?, algorithms: [String]) throws(ConfigurationError) {
        if let name = algorithms.first(where: { Self.known[$0] == nil }) {
            throw ConfigurationError(
                path: name, reason: "this is none of \(Self.known.keys.sorted().joined(separator: ", "))")
        }
        self.version = version
        self.algorithms = algorithms
    }

    /// The algorithm of every client's CertificateVerify; nil where a client has a choice.
    var onlyAlgorithm: String? { algorithms.count == 1 ? algorithms[0] : nil }

    /// TLS 1.3 (RFC 8446 §4.2.3).
    private static let known: [String: SignatureAlgorithm] = [
        "rsa_pkcs1_sha256": .rsaPkcs1Sha256, "rsa_pkcs1_sha384": .rsaPkcs1Sha384, "rsa_pkcs1_sha512": .rsaPkcs1Sha512,
        "ecdsa_secp256r1_sha256": .ecdsaSecp256R1Sha256, "ecdsa_secp384r1_sha384": .ecdsaSecp384R1Sha384,
        "rsa_pss_rsae_sha256": .rsaPssRsaeSha256, "rsa_pss_rsae_sha384": .rsaPssRsaeSha384,
        "rsa_pss_rsae_sha512": .rsaPssRsaeSha512,
    ]

    /// - Parameter authorities: PEM. A certificate of none of them ends the handshake.
    func apply(to configuration: inout TLSConfiguration, authorities: [[UInt8]]) throws {
        let certificates = try authorities.flatMap { try NIOSSLCertificate.fromPEMBytes($0) }
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates(certificates)
        configuration.sendCANameList = true
        if let version {
            configuration.minimumTLSVersion = version == .tls12 ? .tlsv12 : .tlsv13
            configuration.maximumTLSVersion = configuration.minimumTLSVersion
        }
        if !algorithms.isEmpty {
            configuration.verifySignatureAlgorithms = algorithms.compactMap { Self.known[$0] }
        }
    }
}
