import AgentAPI
import Clocks
import DistinguishedNames
import Files
import Identities
import PKCS11URI
import Prompts
import SystemPackage
import TokenService
import Tokens
import X509

/// Finds the certificate and the key that a profile signs in with, on the tokens as they are now.
///
/// Certificates and their files are read, paired and chosen from on threads of their own: it takes the longer the more a token
/// holds, and a file system may hang, while a lock has to be done within a second.
struct IdentityFinder: Sendable {
    let tokens: Tokens
    let clock: AgentClock

    /// The most spares that are tried: as many as a profile can name, and no more that a token could make up.
    private static let maximumSpares = 15

    /// An identity, the token that has its key, and the certificates that lead to its trust anchor.
    struct Found: Sendable {
        var identity: Identity
        var token: FoundToken
        var chain: [Certificate]
    }

    /// The identity to sign with, and the spares for it, in the order in which to try them; at least one.
    ///
    /// A certificate that its token hides before a login is looked for once more after it: with stored PINs, then with
    /// those that people are asked for.
    ///
    /// - Parameters:
    ///   - purpose: The text of the prompt; nil: no person is asked.
    ///   - reachService: Called before the first login: no token is logged in to for a service that cannot be reached.
    /// - Throws: Why there is none, with the reasons of what came closest; or why there was no login.
    func find(
        for selector: IdentitySelector, _ purpose: LoginPurpose?, reachService: () async throws(Problem) -> Void
    ) async throws(Problem) -> [Found] {
        var survey = await tokens.survey()
        var result = await find(in: survey, for: selector)
        let stored = result.isHidden ? closedTokens(of: selector, in: survey, mayAsk: false) : []
        if !stored.isEmpty {
            try await reachService()
            for token in stored { try await tokens.logIn(to: token) }
            survey = await tokens.survey()
            result = await find(in: survey, for: selector)
        }
        let others = result.isHidden ? closedTokens(of: selector, in: survey, mayAsk: true) : []
        if stored.isEmpty, !others.isEmpty { try await reachService() }
        for token in others {
            try await tokens.logIn(to: token, for: purpose)
            result = await find(in: await tokens.survey(), for: selector)
            guard result.isHidden else { break }
        }
        return try result.get()
    }

    /// The key of `found`, looked for once more where its token showed no private keys before the login: only now is it
    /// known which of them is the certificate's. A public key alone would be found good today and wanting tomorrow.
    ///
    /// - Throws: Why the key that the token shows now is not the certificate's.
    func confirmedKey(of found: Found, for selector: IdentitySelector) async throws(Problem) -> KeyLocation {
        let identity = found.identity
        guard identity.key.needsLogin else { return identity.key }
        let survey = await tokens.survey(ofModuleOf: found.token)
        let candidates = try await candidates(for: selector, in: survey)
            .filter { $0.certificate == identity.certificate && $0.uri == identity.certificateURI }
        if let key = candidates.first(where: { $0.isUsable && $0.key?.token == identity.key.token })?.key { return key }
        throw SelectionError.noneUsable(identity.certificateURI, candidates.first?.reasons ?? [.noKey], others: 0)
            .problem(modules: survey.modules)
    }

    /// The result of choosing, for each certificate.
    func explain(_ selector: IdentitySelector) async throws(Problem) -> [Candidate] {
        try await candidates(for: selector, in: await tokens.survey())
    }

    /// The certificates on the tokens that the URI matches, with their keys as the tokens show them now.
    func certificates(matching text: String) async throws(Problem) -> [CertificateListing] {
        let uri: PKCS11URI
        do throws(PKCS11URIError) {
            uri = try PKCS11URI(text)
        } catch {
            throw Problem(
                .badRequest, "the URI: \(error.message, .reason)", hint: "'tokenward list' shows the certificates' URIs"
            )
        }
        let survey = await tokens.survey()
        let found = await onOwnThread {
            let inventory = Inventory(survey) { uri.matches($0.located) }
            return zip(inventory.certificates, inventory.candidates(at: now)).filter { $0.0.isMeant(by: uri) }
                .prefix(Self.maximumListed).compactMap { found, candidate in
                    CertificateListing(
                        candidate,
                        beside: inventory.certificates.filter { $0.module == found.module }.compactMap(\.certificate),
                        at: now)
                }
        }
        if found.isEmpty, let outage = survey.modules.compactMap(\.outage).first { throw outage }
        return found
    }

    /// The most certificates in one answer, with their chains.
    private static let maximumListed = 100

    /// All that is seen, and what the profiles sign in with.
    struct Overview: Sendable {
        /// Every certificate, whatever the profiles.
        var candidates: [Candidate]
        /// None for a profile for which nothing can be chosen; `explain` tells why.
        var identities: [ProfileName: Identity]
    }

    func overview(of selectors: [ProfileName: IdentitySelector], in survey: Survey) async -> Overview {
        await onOwnThread {
            let inventory = Inventory(survey)
            let identities = selectors.compactMapValues { selector in
                try? select(for: selector, among: inventory).identity.get()  // see `Overview`
            }
            return Overview(candidates: inventory.candidates(at: now), identities: identities)
        }
    }

    private func candidates(for selector: IdentitySelector, in survey: Survey) async throws(Problem) -> [Candidate] {
        try await onOwnThread { () throws(Problem) in
            try select(for: selector, among: Inventory(survey)).candidates
        }
    }

    private func select(for selector: IdentitySelector, among inventory: Inventory) throws(Problem) -> Selection {
        let wanted = try CertificateSelector(selector)
        switch selector.certificate {
        case .any, .token: return inventory.select(wanted, at: now)
        case .file(let path):
            let certificates = try certificates(in: path)
            guard let leaf = certificates.first else {
                throw Problem(.configuration, "\(path, .path) has no certificate")
            }
            guard !leaf.isCA || certificates.allSatisfy(\.isCA) else {
                throw Problem(
                    .configuration, "\(path, .path) begins with a CA's certificate",
                    hint: "put the leaf first, then the CAs between it and the root")
            }
            return inventory.select(file: leaf, keyURI: selector.key, selector: wanted, at: now)
        }
    }

    private var now: Int64 { clock.wall() / 1000 }

    private func found(in survey: Survey, for selector: IdentitySelector) throws(Problem) -> [Found] {
        let uris = selector.tokenURIs
        let inventory = Inventory(survey) { token in
            uris.isEmpty || uris.contains { $0.matches(token.located) }  // the others' certificates need no look
        }
        let selection = try select(for: selector, among: inventory)
        let identity: Identity
        do throws(SelectionError) {
            identity = try selection.identity.get()
        } catch {
            var problem = error.problem(modules: survey.modules)
            problem.causeEnds = selection.nextBegin
            throw problem
        }
        var configured: [Certificate] = []
        if let path = selector.intermediates { configured += try certificates(in: path) }
        if case .file(let path) = selector.certificate { configured += try certificates(in: path) }
        return ([identity] + selection.spares.prefix(Self.maximumSpares)).map { identity in
            let token = inventory.certificates.filter { $0.module == identity.key.module }.compactMap(\.certificate)
            return Found(
                identity: identity, token: named(survey.tokens[identity.key.module], by: selector),
                chain: CertificateChain.intermediates(
                    for: identity.certificate, from: token, configured: configured, at: now))
        }
    }

    /// The token as the profile's URIs mean it.
    private func named(_ token: FoundToken, by selector: IdentitySelector) -> FoundToken {
        let matching = selector.tokenURIs.filter { $0.matches(token.located) }
        return matching.first(where: \.namesModule).map { token.meant(by: $0) } ?? token
    }

    private func find(in survey: Survey, for selector: IdentitySelector) async -> Result<[Found], Problem> {
        await onOwnThread { Result { () throws(Problem) in try found(in: survey, for: selector) } }
    }

    /// Certificates from a file that a profile names. It is read for each session, so that a renewed one is seen.
    private func certificates(in path: String) throws(Problem) -> [Certificate] {
        do {
            // One byte more than the most, which is refused where it is parsed.
            return try Certificate.file(
                OpenFile(path, options: .nonBlocking).beginning(Certificate.maximumFileSize + 1))
        } catch let error as CertificateFileError {
            throw Problem(
                .configuration, "\(path, .path): \(error.message, .reason)",
                hint: "correct the file that the profile names")
        } catch {
            throw Problem(
                .configuration, "\(path, .path): \("\(error)", .reason)",
                hint: "check the path, and that the agent's user may read it")
        }
    }

    /// The tokens that are not logged in and may have the profile's certificate. No person is asked for the PIN of a
    /// token that the profile does not name, or that shows certificates: it would show this one as well.
    private func closedTokens(of selector: IdentitySelector, in survey: Survey, mayAsk: Bool) -> [FoundToken] {
        let uris = selector.tokenURIs
        return survey.tokens.map { named($0, by: selector) }.filter { token in
            guard token.needsLogin, token.hasStoredPIN != mayAsk else { return false }
            let matching = uris.filter { $0.matches(token.located) }
            guard mayAsk else { return uris.isEmpty || !matching.isEmpty }
            return matching.contains(where: \.namesToken) && token.snapshot.certificates.isEmpty
        }
    }
}

extension Inventory {
    /// The certificates and keys of a survey, read and paired once for all the profiles that choose from it. The index of a
    /// token in the survey is its module number here.
    fileprivate init(_ survey: Survey, where isWanted: (FoundToken) -> Bool = { _ in true }) {
        self.init(
            survey.tokens.enumerated().filter { isWanted($0.element) }.map { index, token in
                PresentToken(module: index, location: token.located, snapshot: token.snapshot)
            })
    }
}

extension IdentitySelector {
    /// The URIs that say which tokens are meant; none: all.
    var tokenURIs: [PKCS11URI] {
        switch certificate {
        case .token(let uri): [uri] + spares
        case .any, .file: key.map { [$0] } ?? []
        }
    }
}

extension Result<[IdentityFinder.Found], Problem> {
    /// Whether a login may show what was not found.
    fileprivate var isHidden: Bool {
        if case .failure(let problem) = self { problem.code == .noIdentity } else { false }
    }
}

extension CertificateSelector {
    init(_ identity: IdentitySelector) throws(Problem) {
        self.init()
        if case .token(let uri) = identity.certificate { uris = [uri] + identity.spares }
        key = identity.key
        do throws(DistinguishedNameError) {
            subject = try identity.subject.map { (text) throws(DistinguishedNameError) in try DistinguishedName(text) }
            issuer = try identity.issuer.map { (text) throws(DistinguishedNameError) in try DistinguishedName(text) }
        } catch {
            throw Problem(.configuration, "certificate-subject or certificate-issuer: \(error.message, .reason)")
        }
        guard let text = identity.serial else { return }
        guard let serial = SerialNumberText(text) else {
            throw Problem(.configuration, "certificate-serial \"\(text, .value)\" is no decimal or hexadecimal number")
        }
        self.serial = serial
    }
}

extension Selection {
    /// When the next certificate begins that only its dates speak against, in seconds since 1970.
    fileprivate var nextBegin: Int64? {
        candidates.compactMap { candidate in
            let others = candidate.reasons.filter { $0 != .keyHidden }
            return if others.count == 1, case .notYetValid(let begin)? = others.first { begin } else { nil }
        }.min()
    }
}

extension SelectionError {
    private var isAbsence: Bool {
        switch self {
        case .noToken, .noCertificate, .noneUsable: true
        case .unescapedID, .ambiguous, .ambiguousSerial, .ambiguousToken: false
        }
    }

    fileprivate func problem(modules: [FoundModule]) -> Problem {
        // The certificate may be behind a module that is down just now: "no such token" would send its owner looking.
        if isAbsence, let outage = modules.compactMap(\.outage).first { return outage }
        let failures = modules.compactMap { module in module.failure.map { "\(module.name): \($0)" } }
        switch self {
        case .noToken:
            let reasons = failures.isEmpty ? "" : " (\(failures.joined(separator: "; ")))"
            return Problem(.noToken, "\(message + reasons, .reason)", hint: hint)
        case .noCertificate, .noneUsable, .unescapedID: return Problem(.noIdentity, "\(message, .reason)", hint: hint)
        case .ambiguous, .ambiguousSerial, .ambiguousToken:
            return Problem(.ambiguousIdentity, "\(message, .reason)", hint: hint)
        }
    }
}
