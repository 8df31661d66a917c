import PKCS11URI
import X509

/// What was chosen for a profile, and everything that could have been.
package struct Selection: Sendable {
    package let identity: Result<Identity, SelectionError>
    package let candidates: [Candidate]
}

extension Inventory {
    /// Chooses the certificate of a profile at a time, in seconds since 1970.
    ///
    /// Of the certificates that `selector` leaves and nothing speaks against, the one that expires last is used. Those
    /// whose key nobody can see before a login come second: they are considered where there is no other.
    package func select(_ selector: CertificateSelector, at now: Int64) -> Selection {
        let candidates = candidates(for: selector, at: now)
        guard tokens.contains(where: { selector.uri?.matches($0) ?? true }) else {
            return Selection(identity: .failure(.noToken(selector.uri)), candidates: candidates)
        }
        return Selection(choosingFrom: candidates)
    }
}

extension PKCS11URI {
    func matches(_ present: PresentToken) -> Bool {
        matches(token: present.snapshot.token, slotID: present.snapshot.slotID)
    }
}

extension Selection {
    init(choosingFrom candidates: [Candidate]) {
        let usable = candidates.indices.filter { candidates[$0].isUsable }
        let afterLogin = candidates.indices.filter { candidates[$0].isUsableAfterLogin }
        let pool = (usable.isEmpty ? afterLogin : usable).compactMap { Contender(at: $0, in: candidates) }
        guard let end = pool.map(\.identity.certificate.notAfter).max() else {
            self.init(identity: .failure(.none(of: candidates)), candidates: candidates)
            return
        }
        let last = pool.filter { $0.identity.certificate.notAfter == end }
        var judged = candidates
        for contender in pool { judged[contender.index].verdict = .expiresEarlier }

        guard Set(last.map(\.identity.certificate.subjectPublicKeyInfo)).count == 1,
            let chosen = last.min(by: Contender.isBetter)
        else {
            for contender in last { judged[contender.index].verdict = .tied }
            let uris = last.map(\.shownURI).sorted { $0.description < $1.description }
            self.init(identity: .failure(.ambiguous(uris)), candidates: judged)
            return
        }
        for contender in last { judged[contender.index].verdict = .spare }
        judged[chosen.index].verdict = .chosen
        self.init(identity: .success(chosen.identity), candidates: judged)
    }
}

/// A candidate that may be chosen.
private struct Contender {
    let index: Int
    let identity: Identity

    init?(at index: Int, in candidates: [Candidate]) {
        let candidate = candidates[index]
        guard let certificate = candidate.certificate, let key = candidate.key else { return nil }
        self.index = index
        identity = Identity(certificate: certificate, certificateURI: candidate.uri, key: key)
    }

    var shownURI: PKCS11URI { identity.certificateURI ?? identity.key.uri }

    /// The order among those with one key and one end: no login before a login, a key that was compared before one that
    /// was not, the younger certificate, and then anything that is the same each time.
    static func isBetter(_ left: Contender, _ right: Contender) -> Bool {
        let (leftKey, rightKey) = (left.identity.key, right.identity.key)
        if leftKey.needsLogin != rightKey.needsLogin { return rightKey.needsLogin }
        if leftKey.isConfirmed != rightKey.isConfirmed { return leftKey.isConfirmed }
        let (leftBegin, rightBegin) = (left.identity.certificate.notBefore, right.identity.certificate.notBefore)
        if leftBegin != rightBegin { return leftBegin > rightBegin }
        let (leftURI, rightURI) = (left.shownURI.description, right.shownURI.description)
        if leftURI != rightURI { return leftURI < rightURI }
        if leftKey.module != rightKey.module { return leftKey.module < rightKey.module }
        return left.identity.certificate.fingerprint.lexicographicallyPrecedes(right.identity.certificate.fingerprint)
    }
}
