package import PKCS11URI
import TokenService
package import X509

/// The identity chosen for a profile, and all candidates.
package struct Selection: Sendable {
    package let identity: Result<Identity, SelectionError>
    /// The identities to use if the chosen one fails, in this order.
    package private(set) var spares: [Identity] = []
    package let candidates: [Candidate]
}

extension Inventory {
    /// Chooses the certificate of a profile at a time, in seconds since 1970.
    ///
    /// Of the certificates that `selector` leaves and nothing speaks against, the one that expires last is used. Those
    /// whose key is hidden before a login come second: they are considered where there is no other. Where the
    /// selector has several URIs, this is so for the first of them that leaves any.
    package func select(_ selector: CertificateSelector, at now: Int64) -> Selection {
        let candidates = candidates(for: selector, at: now)
        let uris = selector.uris
        guard
            uris.isEmpty
                ? !tokens.isEmpty : tokens.contains(where: { token in uris.contains { $0.matches(token.location) } })
        else { return Selection(identity: .failure(.noToken(uris.first)), candidates: candidates) }
        if let error = unescapedID(in: uris) ?? ambiguousSerial(selector.serial, among: candidates) {
            return Selection(identity: .failure(error), candidates: candidates)
        }
        return Selection(choosingFrom: candidates, ranks: certificates.map { $0.rank(in: uris) ?? 0 })
    }

    /// An error where the URIs mean nothing, and would with their CKA_ID read as hexadecimal digits.
    private func unescapedID(in uris: [PKCS11URI]) -> SelectionError? {
        guard uris.contains(where: { $0.id != nil }), !certificates.contains(where: { $0.rank(in: uris) != nil }) else {
            return nil
        }
        let wrong = uris.first { uri in
            guard let meant = uri.withIDAsDigits else { return false }
            return certificates.contains { $0.rank(in: [meant]) != nil }
        }
        return wrong.map { .unescapedID($0) }
    }

    private func ambiguousSerial(_ serial: SerialNumberText?, among candidates: [Candidate]) -> SelectionError? {
        guard let serial else { return nil }
        var uris: [SerialNumberText.Reading: PKCS11URI] = [:]
        for candidate in candidates where !candidate.reasons.contains(where: \.isProfileChoice) {
            guard let certificate = candidate.certificate, let uri = candidate.uri,
                let reading = serial.reading(of: certificate.serial), uris[reading] == nil
            else { continue }
            uris[reading] = uri
        }
        guard let decimal = uris[.decimal], let hexadecimal = uris[.hexadecimal] else { return nil }
        return .ambiguousSerial(decimal: decimal, hexadecimal: hexadecimal)
    }
}

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
        let reason = told.first { $0 != .noKey && $0 != .differentID } ?? .noKeyForFile
        return Selection(choosingFrom: [candidate(nil, [reason])])
    }
}

extension Selection {
    /// - Parameter ranks: Each candidate's; those of the lowest are chosen from, the others' best are spares.
    init(choosingFrom candidates: [Candidate], ranks: [Int]? = nil) {
        let possible = candidates.indices.filter { candidates[$0].isUsable || candidates[$0].isUsableAfterLogin }
        let groups = Dictionary(grouping: possible) { ranks?[$0] ?? 0 }.sorted { $0.key < $1.key }.map(\.value)
        var judged = candidates
        var identities: [Identity] = []
        for group in groups {
            let usable = group.filter { candidates[$0].isUsable }
            let pool = (usable.isEmpty ? group : usable).compactMap { Contender(at: $0, in: candidates) }
            do throws(SelectionError) {
                let best = try Self.best(of: pool, &judged)
                for contender in best { judged[contender.index].verdict = .spare }
                if identities.isEmpty, let chosen = best.first { judged[chosen.index].verdict = .chosen }
                identities += best.map(\.identity)
            } catch {
                guard identities.isEmpty else { continue }  // no help as a spare
                self.init(identity: .failure(error), candidates: judged)
                return
            }
        }
        guard let chosen = identities.first else {
            self.init(identity: .failure(.none(of: candidates)), candidates: judged)
            return
        }
        self.init(identity: .success(chosen), spares: Array(identities.dropFirst()), candidates: judged)
    }

    /// Those that expire last, which have one key, the best of them first.
    private static func best(of pool: [Contender], _ judged: inout [Candidate]) throws(SelectionError) -> [Contender] {
        let end = pool.map(\.identity.certificate.notAfter).max()
        let last = pool.filter { $0.identity.certificate.notAfter == end }
        for contender in pool { judged[contender.index].verdict = .expiresEarlier }
        guard Set(last.map(\.identity.certificate.subjectPublicKeyInfo)).count <= 1 else {
            for contender in last { judged[contender.index].verdict = .tied }
            throw .ambiguous(last.sorted { $0.uriText < $1.uriText }.map(\.shownURI))
        }
        return last.sorted(by: Contender.isBetter)
    }
}

/// A candidate that may be chosen.
private struct Contender {
    let index: Int
    let identity: Identity
    /// Written once: a token can make up thousands that are sorted by it.
    let uriText: String

    init?(at index: Int, in candidates: [Candidate]) {
        let candidate = candidates[index]
        guard let certificate = candidate.certificate, let key = candidate.key else { return nil }
        self.index = index
        identity = Identity(certificate: certificate, certificateURI: candidate.uri, key: key)
        uriText = (identity.certificateURI ?? key.uri).description
    }

    var shownURI: PKCS11URI { identity.certificateURI ?? identity.key.uri }

    /// The order among those with one key and one end: no login before a login, a key that was compared before one that
    /// was not, the younger certificate, and then that of modules, slots and URIs, which is the same each time.
    static func isBetter(_ left: Contender, _ right: Contender) -> Bool {
        let (leftKey, rightKey) = (left.identity.key, right.identity.key)
        if leftKey.needsLogin != rightKey.needsLogin { return rightKey.needsLogin }
        if leftKey.isConfirmed != rightKey.isConfirmed { return leftKey.isConfirmed }
        let (leftBegin, rightBegin) = (left.identity.certificate.notBefore, right.identity.certificate.notBefore)
        if leftBegin != rightBegin { return leftBegin > rightBegin }
        if leftKey.module != rightKey.module { return leftKey.module < rightKey.module }
        if leftKey.slotID != rightKey.slotID { return leftKey.slotID < rightKey.slotID }
        if left.uriText != right.uriText { return left.uriText < right.uriText }
        return left.identity.certificate.fingerprint.lexicographicallyPrecedes(right.identity.certificate.fingerprint)
    }
}
