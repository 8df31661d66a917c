package import X509

/// The certificates between a leaf and a trust anchor, for `X-Amz-X509-Chain`.
package struct CertificateChain {
    /// The most that the service takes (IAM Roles Anywhere user guide, "Signing process").
    package static let maximumLength = 5
    /// The most signatures that are verified for one chain: a token can hold thousands of certificates with one name.
    package static let maximumVerifications = 64

    private let configured: Set<Certificate>
    /// All of them, roots among them.
    private let authorities: [Certificate]
    private let now: Int64
    private let isIssued: (Certificate, Certificate) -> Bool
    private var verifications = 0
    private var verdicts: [Pair: Bool] = [:]

    private struct Pair: Hashable {
        let certificate: Certificate
        let issuer: Certificate
    }

    /// The issuer of `leaf`, that one's issuer and so on, as far as they are there.
    ///
    /// Each is a CA whose key verified the signature of the one before: nothing else that lies on the token is sent.
    /// Self-signed certificates are left out: the service trusts the anchors that it has, not those that clients send.
    /// The leaf is never in its own chain, nor is a name with the same key there twice, so that CAs which sign each other
    /// come to an end.
    ///
    /// A certificate with an issuer's name and public key is easily made, and its own signature then is not. So where
    /// several fit, one that is valid is taken before one that is not, then one from a file, then one whose signature
    /// another certificate verifies, and then the one that expires last.
    ///
    /// - Parameters:
    ///   - token: The certificates on the key's own token. Another token's certificates are not for this one.
    ///   - configured: The certificates of the files that the profile names.
    ///   - now: In seconds since 1970.
    ///   - isIssued: Whether the second has signed the first.
    package static func intermediates(
        for leaf: Certificate, from token: [Certificate], configured: [Certificate] = [], at now: Int64,
        isIssued: @escaping (Certificate, Certificate) -> Bool = { $0.isIssued(by: $1) }
    ) -> [Certificate] {
        var chain = Self(for: leaf, token, configured, now, isIssued)
        return chain.intermediates(for: leaf)
    }

    private init(
        for leaf: Certificate, _ token: [Certificate], _ configured: [Certificate], _ now: Int64,
        _ isIssued: @escaping (Certificate, Certificate) -> Bool
    ) {
        self.configured = Set(configured)
        // Certificates that do not fit into a request are dropped. Files first, for the verifications that there are.
        authorities = (configured + token).uniqued().filter {
            $0.isCA && $0 != leaf && $0.der.count <= IdentityRules.maximumCertificateSize
        }
        self.now = now
        self.isIssued = isIssued
    }

    private mutating func intermediates(for leaf: Certificate) -> [Certificate] {
        var pool = authorities
        var chain: [Certificate] = []
        var current = leaf
        while chain.count < Self.maximumLength {
            pool.removeAll { $0.subject == current.subject && $0.subjectPublicKeyInfo == current.subjectPublicKeyInfo }
            let issuers = pool.filter { verify(current, with: $0) && !verify($0, with: $0) }  // not self-signed
            guard let issuer = best(of: issuers) else { break }
            chain.append(issuer)
            current = issuer
        }
        return chain
    }

    private mutating func best(of issuers: [Certificate]) -> Certificate? {
        guard issuers.count > 1 else { return issuers.first }
        let marked = issuers.map { issuer in
            (issuer, isVerified: authorities.contains { $0 != issuer && verify(issuer, with: $0) })
        }
        return marked.min { isBetter($0, than: $1) }?.0
    }

    private func isBetter(
        _ left: (Certificate, isVerified: Bool), than right: (Certificate, isVerified: Bool)
    ) -> Bool {
        let marks = { (one: (Certificate, isVerified: Bool)) in
            [one.0.isValid(at: now), configured.contains(one.0), one.isVerified]
        }
        if let (mine, _) = zip(marks(left), marks(right)).first(where: { $0 != $1 }) { return mine }
        if left.0.notAfter != right.0.notAfter { return left.0.notAfter > right.0.notAfter }
        return left.0.fingerprint.lexicographicallyPrecedes(right.0.fingerprint)
    }

    /// Whether the issuer has signed the certificate, verified once and no more often than the limit says.
    private mutating func verify(_ certificate: Certificate, with issuer: Certificate) -> Bool {
        guard certificate.namesAsIssuer(issuer) else { return false }
        let pair = Pair(certificate: certificate, issuer: issuer)
        if let verdict = verdicts[pair] { return verdict }
        guard verifications < Self.maximumVerifications else { return false }
        verifications += 1
        let verdict = isIssued(certificate, issuer)
        verdicts[pair] = verdict
        return verdict
    }
}

extension Certificate {
    fileprivate func isValid(at now: Int64) -> Bool { notBefore <= now && now <= notAfter }
}

extension [Certificate] {
    /// Each once, in their order.
    fileprivate func uniqued() -> Self {
        var seen: Set<Certificate> = []
        return filter { seen.insert($0).inserted }
    }
}
