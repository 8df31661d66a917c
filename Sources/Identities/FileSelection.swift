package import PKCS11URI
import TokenService
package import X509

extension Inventory {
    /// Pairs a certificate from a file with its private key on a token, at a time in seconds since 1970.
    ///
    /// Keys are paired by their public half. One that shows none is taken where `keyURI` names it and nothing
    /// contradicts.
    ///
    /// - Parameters:
    ///   - keyURI: Where the key is; nil: on any token.
    ///   - selector: What else the profile wants of the certificate; its `uri` is not looked at.
    package func select(
        file certificate: Certificate, keyURI: PKCS11URI?, selector: CertificateSelector = CertificateSelector(),
        at now: Int64
    ) -> Selection {
        let reasons = selector.reasons(against: certificate) + IdentityRules.reasons(against: certificate, at: now)
        let candidate = { (key: KeyLocation?, more: [DropReason]) in
            Candidate(uri: nil, certificate: certificate, key: key, reasons: reasons + more)
        }
        let possible = tokens.filter { token in keyURI.map { $0.matches(token.location) } ?? true }
        guard !possible.isEmpty else {
            return Selection(identity: .failure(.noToken(keyURI)), candidates: [candidate(nil, [.noKeyForFile])])
        }

        let findings = possible.map { present in
            let named = present.snapshot.namedKeys(keyURI)
            let pairing = Pairing(of: certificate, id: named.id, on: named.snapshot)
            return (pairing: pairing, key: KeyLocation(pairing, certificateID: named.id, on: present))
        }
        let seen = findings.filter { $0.key != nil && $0.pairing != .hidden }.map { candidate($0.key, []) }
        if !seen.isEmpty { return Selection(choosingFrom: seen) }

        let hidden = findings.filter { $0.pairing == .hidden }.map { candidate($0.key, [.keyHidden]) }
        if Set(hidden.map(\.key?.token)).count > 1, hidden.contains(where: \.isUsableAfterLogin) {
            let uris = hidden.compactMap(\.key?.uri).sorted { $0.description < $1.description }
            return Selection(identity: .failure(.ambiguousToken(uris)), candidates: hidden)
        }
        if !hidden.isEmpty { return Selection(choosingFrom: hidden) }

        let told = findings.compactMap { if case .none(let reason) = $0.pairing { reason } else { nil } }
        let reason = told.first { $0 == .cannotSign || $0 == .differentKey }.map { DropReason($0) } ?? .noKeyForFile
        return Selection(choosingFrom: [candidate(nil, [reason])])
    }
}

extension TokenSnapshot {
    /// The snapshot with the private keys alone that `uri` names, and the CKA_ID that makes one of them the key that is
    /// meant: the URI's, or that of the only key with the URI's label.
    fileprivate func namedKeys(_ uri: PKCS11URI?) -> (snapshot: TokenSnapshot, id: [UInt8]) {
        guard let uri else { return (self, []) }
        var named = self
        named.keys = keys.filter { key in
            // A public key needs no label of the private key's to be its half.
            key.keyClass == .publicKey
                ? uri.id == nil || uri.id == key.id : uri.matchesObject(label: key.label, id: key.id, type: .privateKey)
        }
        let privateKeys = named.keys.filter { $0.keyClass == .privateKey }
        let isOnlyOne = uri.object != nil && privateKeys.count == 1
        return (named, uri.id ?? (isOnlyOne ? privateKeys.first?.id : nil) ?? [])
    }
}
