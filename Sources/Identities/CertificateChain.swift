package import X509

/// The certificates between a leaf and a trust anchor, for `X-Amz-X509-Chain`.
package enum CertificateChain {
    /// The most that the service takes (IAM Roles Anywhere user guide, "Signing process").
    package static let maximumLength = 5

    /// The issuer of `leaf`, that one's issuer and so on, as far as `certificates` has them.
    ///
    /// Each is a CA whose key verified the signature of the one before: nothing else that lies on the token is sent.
    /// Where several fit, one that is valid at `now` (seconds since 1970) is taken before one that is not, and then the
    /// one that expires last. Self-signed certificates are left out: the service trusts an anchor because it has it,
    /// not because somebody sends it. The leaf is never in its own chain, nor is a name with the same key there twice, so
    /// that CAs which sign each other come to an end.
    package static func intermediates(
        for leaf: Certificate, from certificates: [Certificate], at now: Int64
    ) -> [Certificate] {
        var pool = Array(Set(certificates)).filter { $0.isCA && $0 != leaf }
        var chain: [Certificate] = []
        var current = leaf
        while chain.count < maximumLength {
            pool.removeAll { $0.subject == current.subject && $0.subjectPublicKeyInfo == current.subjectPublicKeyInfo }
            let issuers = pool.filter { current.isIssued(by: $0) && !$0.isSelfSigned }
            guard let issuer = issuers.max(by: { isBetter($1, than: $0, at: now) }) else { break }
            chain.append(issuer)
            current = issuer
        }
        return chain
    }

    private static func isBetter(_ left: Certificate, than right: Certificate, at now: Int64) -> Bool {
        let (leftIsValid, rightIsValid) = (left.isValid(at: now), right.isValid(at: now))
        if leftIsValid != rightIsValid { return leftIsValid }
        if left.notAfter != right.notAfter { return left.notAfter > right.notAfter }
        return left.fingerprint.lexicographicallyPrecedes(right.fingerprint)
    }
}

extension Certificate {
    fileprivate func isValid(at now: Int64) -> Bool { notBefore <= now && now <= notAfter }
}
