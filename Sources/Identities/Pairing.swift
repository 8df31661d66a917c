import TokenService
import X509

/// The result of looking for a certificate's private key among a token's objects.
enum Pairing: Hashable {
    case seen(KeyObject, isConfirmed: Bool)
    /// The private key needs a login, its public half is here.
    case publicHalf(KeyObject, isConfirmed: Bool)
    /// Keys are shown after a login.
    case hidden
    case none(MissingKey)
}

/// Why a certificate has no private key on its token.
enum MissingKey: Hashable {
    case absent
    /// A key has the certificate's CKA_ID and another public key.
    case differentKey
    /// A key has the certificate's public key and another CKA_ID.
    case differentID
    /// The key may not sign (CKA_SIGN).
    case cannotSign
}

extension Pairing {
    /// Looks for the private key of `certificate`, an object with this CKA_ID.
    ///
    /// A pair has the same CKA_ID and no public key that contradicts it. Where one of the two has no CKA_ID, it takes
    /// equal public keys. Nothing is ever signed to find out: on some tokens that costs a touch.
    init(of certificate: Certificate, id: [UInt8], on token: TokenSnapshot) {
        let related = token.keys.filter { $0.id == id || $0.id.isEmpty || id.isEmpty }
        let judged = related.map { key in (key: key, comparison: key.compared(with: certificate, id: id, on: token)) }
        let pairs = judged.filter { $0.comparison != .different }
            .sorted { $0.comparison == .same && $1.comparison != .same }

        let privatePairs = pairs.filter { $0.key.keyClass == .privateKey }
        if let found = privatePairs.first(where: { $0.key.canSign }) {
            self = .seen(found.key, isConfirmed: found.comparison == .same)
        } else if !privatePairs.isEmpty {
            self = .none(.cannotSign)
        } else if token.hidesObjects, let half = pairs.first {
            self = .publicHalf(half.key, isConfirmed: half.comparison == .same)
        } else if judged.contains(where: { $0.comparison == .different && $0.key.id == id && !id.isEmpty }) {
            self = .none(.differentKey)
        } else if token.hidesObjects {
            self = .hidden
        } else {
            let isElsewhere = token.keys.contains {
                $0.keyClass == .privateKey && $0.publicHalf.compared(with: certificate.publicKey) == .same
            }
            self = .none(isElsewhere ? .differentID : .absent)
        }
    }
}

extension KeyObject {
    /// Compares the key with a certificate that has this CKA_ID. A private key that tells nothing of its public half is
    /// judged by the public keys of its own CKA_ID.
    fileprivate func compared(with certificate: Certificate, id: [UInt8], on token: TokenSnapshot) -> KeyComparison {
        var comparison = publicHalf.compared(with: certificate.publicKey)
        if comparison == .unknown, keyClass == .privateKey, !self.id.isEmpty {
            let halves = token.keys.filter { $0.keyClass == .publicKey && $0.id == self.id }
                .map { $0.publicHalf.compared(with: certificate.publicKey) }
            comparison = halves.contains(.same) ? .same : halves.contains(.different) ? .different : .unknown
        }
        let isSameID = !id.isEmpty && self.id == id
        return comparison == .unknown && !isSameID ? .different : comparison
    }
}
