/// How a private key signs: the algorithm, with its padding, and the hash that goes under it.
///
/// These are the schemes that Roles Anywhere (`SigV4-X509`) and TLS (RFC 8446 §4.2.3) have in common with tokens.
package struct SignatureScheme: Hashable, Sendable {
    package enum Algorithm: UInt8, CaseIterable, Sendable {
        /// ECDSA; the signature is a DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
        case ecdsa = 1
        /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
        case rsaPKCS1 = 2
        /// RSASSA-PSS with MGF1 of the same hash and a salt as long as the hash (RFC 8017 §8.1, RFC 8446 §4.2.3).
        case rsaPSS = 3
    }

    package enum Hash: UInt8, CaseIterable, Sendable {
        case sha256 = 1
        case sha384 = 2
        case sha512 = 3

        /// Bytes (FIPS 180-4).
        package var length: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    package let algorithm: Algorithm
    package let hash: Hash

    package init(_ algorithm: Algorithm, _ hash: Hash) {
        self.algorithm = algorithm
        self.hash = hash
    }

    /// For people: `RSA-PSS with SHA-256`.
    package var name: String {
        let algorithm =
            switch algorithm {
            case .ecdsa: "ECDSA"
            case .rsaPKCS1: "RSA PKCS #1 v1.5"
            case .rsaPSS: "RSA-PSS"
            }
        return "\(algorithm) with SHA-\(hash.length * 8)"
    }
}
