import AWSNames
import AgentAPI
import Clocks
import Identities
import KeeperService
import PKCS11URI
import TokenService
import Tokens
import X509

/// Writes a certificate beside its key, and retires those that it replaces once it has fetched one real session.
///
/// Whatever ends it in the middle, the old certificates are there: the next run finds the new one written, and goes on.
struct CertificateInstaller: Sendable {
    let tokens: Tokens
    let finder: IdentityFinder
    let source: ProfileSources
    let clock: AgentClock
    /// The profiles that choose certificates.
    let selectors: [ProfileName: IdentitySelector]

    /// - Throws: Before anything is written where the certificate is none for Roles Anywhere, or where not exactly one token
    ///   has its key.
    func install(_ body: CertificateInstallBody) async throws(Problem) -> CertificateInstallListing {
        let leaf = body.leaf
        let broken = IdentityRules.reasons(against: leaf, at: clock.wall() / 1000)
        guard broken.isEmpty else {
            throw Problem(
                .noIdentity,
                "this is no certificate for Roles Anywhere: \(broken.map(\.message).joined(separator: "; "), .reason)",
                hint: "have it issued anew; 'tokenward certificate show FILE' tells each rule")
        }
        let named: String
        if let given = body.key { named = given } else { named = "\(try await keyURI(of: leaf))" }
        try await checkTakesCertificates(named)
        let key = try await KeyFinder(tokens: tokens).find(named, pin: body.pin)
        guard key.token.snapshot.publicKeys(of: key.object).contains(where: { $0.key == leaf.publicKey }) else {
            throw Problem(
                .noIdentity, "the certificate is for another key than \(key.uri, .uri)",
                hint: "leave --key out, so that the certificate's own key is looked for")
        }
        return try await tokens.keeping(key.token, pin: body.pin) { (kept) throws(Problem) in
            try await install(leaf, body.others, beside: key, kept)
        }
    }

    /// Before a login, so that no person is asked in vain.
    private func checkTakesCertificates(_ text: String) async throws(Problem) {
        guard let uri = try? PKCS11URI(text) else { return }  // `KeyFinder` tells why
        let found = await tokens.survey().tokens(matching: uri)
        if found.count == 1 { try found[0].checkTakesCertificates("import-certificate -i FILE") }
    }

    /// The only key on a token that is the certificate's, as far as tokens show keys now.
    private func keyURI(of leaf: Certificate) async throws(Problem) -> PKCS11URI {
        let survey = await tokens.survey()
        let found = survey.tokens.compactMap { token -> PKCS11URI? in
            let keys = token.snapshot.keys.filter { $0.publicHalf.compared(with: leaf.publicKey) == .same }
            guard let key = keys.first(where: { $0.keyClass == .privateKey }) ?? keys.first else { return nil }
            // A public key may have another label than its private key.
            let label = key.keyClass == .privateKey && !key.label.isEmpty ? key.label : nil
            return token.uri.naming(object: label, id: key.id.isEmpty ? nil : key.id, type: .privateKey)
        }
        guard let uri = found.first else {
            if let outage = survey.modules.compactMap(\.outage).first { throw outage }
            throw Problem(
                .noIdentity, "no token shows the private key of this certificate",
                hint:
                    "name it with --key where its token shows keys after a login alone; a certificate of another key is "
                    + "not written")
        }
        guard found.count == 1 else {
            throw Problem(
                .ambiguousIdentity, "\("\(found.count) tokens have the key of this certificate", .reason)",
                hint: "name one with --key: " + found.map { "'\($0)'" }.joined(separator: " "))
        }
        return uri
    }

    private func install(
        _ leaf: Certificate, _ others: [Certificate], beside key: KeyFinder.Found, _ kept: KeptToken
    ) async throws(Problem) -> CertificateInstallListing {
        let chain = CertificateChain.intermediates(for: leaf, from: others, at: clock.wall() / 1000)
        let written = try await kept.changes(
            .installCertificates(
                CertificateInstallation(
                    token: kept.reference, id: key.object.id, label: key.object.label,
                    certificates: ([leaf] + chain).map(\.der))))
        var listing = CertificateInstallListing()
        let (id, label) = (key.object.id, key.object.label)
        listing.uri =
            "\(key.uri.naming(object: label.isEmpty ? nil : label, id: id.isEmpty ? nil : id, type: .certificate))"
        listing.subject = leaf.subject.description
        listing.serial = leaf.serial.decimal
        listing.intermediates = chain.filter { written.contains($0.der) }.map(\.subject.description)
        let old = Set(
            key.token.snapshot.certificates.compactMap { try? Certificate(der: $0.value) }  // others are no one's
                .filter { $0.publicKey == leaf.publicKey && $0 != leaf && !$0.isCA })
        guard !old.isEmpty else { return listing }
        await tokens.showChanges(of: kept)
        switch await trial(of: leaf, replacing: old) {
        case .impossible(let reason):
            let stay = old.count == 1 ? "the old certificate stays" : "\(old.count) old certificates stay"
            listing.remark = "\(stay): \(reason)"
        case .possible(let profile):
            try await prove(leaf, with: profile, isNew: written.contains(leaf.der), kept)
            listing.provenBy = "\(profile)"
            let retired = try await kept.changes(
                .removeCertificates(CertificateRemoval(token: kept.reference, certificates: old.map(\.der))))
            listing.retired = old.filter { retired.contains($0.der) }.map(\.serial.decimal).sorted()
        }
        return listing
    }

    /// How a new certificate can be tried.
    private enum Trial {
        case possible(ProfileName)
        case impossible(String)
    }

    private func trial(of leaf: Certificate, replacing old: Set<Certificate>) async -> Trial {
        let chosen = await finder.overview(of: selectors, in: await tokens.survey()).identities
        // A profile may name the old one by its serial number; and of two, the one that ends later is chosen.
        if let name = chosen.filter({ $0.value.certificateURI != nil && old.contains($0.value.certificate) }).keys.min()
        {
            return .impossible("profile \(name) chooses it still; 'tokenward list --explain \(name)' tells why")
        }
        guard let name = chosen.filter({ $0.value.certificate == leaf }).keys.min() else {
            return .impossible("no profile uses this key, so the new one was not tried")
        }
        return .possible(name)
    }

    /// One real session. Without it a new certificate is taken away again.
    private func prove(
        _ leaf: Certificate, with profile: ProfileName, isNew: Bool, _ kept: KeptToken
    ) async throws(Problem) {
        do throws(Problem) {
            try await source.prove(leaf, for: profile)
        } catch {
            var problem = error
            guard isNew else {
                problem.append("; the new certificate, which was there before, and the old one are on the token")
                throw problem
            }
            do throws(Problem) {
                _ = try await kept.changes(
                    .removeCertificates(CertificateRemoval(token: kept.reference, certificates: [leaf.der])))
                problem.append("; the new certificate got no session and is removed, and the old one stays in use")
            } catch {
                problem.append("; the new certificate got no session, and could not be removed again")
            }
            throw problem
        }
    }
}

extension KeptToken {
    /// Asks the keeper for a change of certificates.
    ///
    /// - Returns: DER of those that were written or deleted.
    func changes(_ request: KeeperRequest) async throws(Problem) -> Set<[UInt8]> {
        guard case .certificates(let changes) = try await ask(request) else {
            throw Problem(.internalFault, "the keeper gave another answer than the one asked for")
        }
        return Set(changes.certificates)
    }
}

extension FoundToken {
    /// ykcs11 has one certificate for each key, overwrites it, and lets the card's management key alone do so.
    func checkTakesCertificates(_ action: String) throws(Problem) {
        guard KeyProvider.isYubiKey(snapshot.token) else { return }
        throw Problem(
            .tokenRefused, "token \(snapshot.token.displayName, .token) takes certificates by its management key alone",
            hint: "use 'yubico-piv-tool -a \(action) -s SLOT -k', where SLOT is 9a, 9c, 9d, 9e or 82 to 95")
    }
}
