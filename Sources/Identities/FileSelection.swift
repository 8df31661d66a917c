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
    ///   - selector: The profile's other requirements; its `uri` is not looked at.
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
            var keys = TokenKeys(present.snapshot, meant: keyURI)
            let pairing = keys.pairing(of: certificate.publicKey, id: [])
            return (pairing: pairing, key: KeyLocation(pairing, certificateID: keyURI?.id ?? [], on: present))
        }
        let seen = findings.filter { $0.key != nil && $0.pairing != .hidden }.map { candidate($0.key, []) }
        if !seen.isEmpty { return Selection(choosingFrom: seen) }

        let hidden = findings.filter { $0.pairing == .hidden }.map { candidate($0.key, [.keyHidden]) }
        if Set(hidden.map(\.key?.token)).count > 1, hidden.contains(where: \.isUsableAfterLogin) {
            let uris = hidden.compactMap(\.key?.uri).sorted { $0.description < $1.description }
            return Selection(identity: .failure(.ambiguousToken(uris)), candidates: hidden)
        }
        if !hidden.isEmpty { return Selection(choosingFrom: hidden) }

        if let keyURI, let meant = keyURI.withIDAsDigits,
            possible.contains(where: { token in
                token.snapshot.keys.contains { meant.matchesObject(label: $0.label, id: $0.id, type: .privateKey) }
            })
        {
            return Selection(identity: .failure(.unescapedID(keyURI)), candidates: [candidate(nil, [.noKeyForFile])])
        }
        let told = findings.compactMap { if case .none(let reason) = $0.pairing { reason } else { nil } }
        let reason = told.first { $0 != .absent && $0 != .differentID }.map { DropReason($0) } ?? .noKeyForFile
        return Selection(choosingFrom: [candidate(nil, [reason])])
    }
}
