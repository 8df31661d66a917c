import AWSNames
import AgentAPI
import CLinux
import Clocks
import Files
import HTTPTransport
import HeaderFields
import Identities
import Logging
import Prompts
import RolesAnywhere
import ServiceAnswers
import SignatureSchemes
import Synchronization
import TokenService
import Tokens
import UTCTime
import X509

/// Obtains sessions from IAM Roles Anywhere, with keys that stay on their tokens.
///
/// One session costs one look at the tokens, beside which the connection to the service opens, then at most one login and
/// one signature: while the service cannot be reached, no token is asked for either.
struct RolesAnywhereSource: Sendable {
    private let tokens: Tokens
    private let finder: IdentityFinder
    private let use: TokenUse
    private let clock: AgentClock
    private let log: Logger

    init(tokens: Tokens, use: TokenUse, clock: AgentClock, log: Logger) {
        self.tokens = tokens
        self.use = use
        self.clock = clock
        self.log = log
        finder = IdentityFinder(tokens: tokens, clock: clock)
    }

    /// One attempt to obtain a session.
    private struct Attempt: Sendable {
        let name: ProfileName
        let identity: IdentitySelector
        let request: CreateSessionRequest
        /// The text of the prompt; nil: no person is asked.
        let purpose: LoginPurpose?
        let signer: TokenSigner
        let line: ServiceLine
    }

    func session(
        of name: ProfileName, _ profile: Profile, _ identity: IdentitySelector, _ request: CreateSessionRequest,
        on occasion: Occasion
    ) async throws(Problem) -> SessionCredentials {
        let attempt = Attempt(
            name: name, identity: identity, request: request,
            purpose: LoginPurpose(Asking.current, session: ("\(name)", "\(request.scope.roleARN)")),
            signer: TokenSigner(tokens: tokens, occasion: occasion, allow: profile.allow),
            line: ServiceLine(
                to: HTTPRequest(
                    method: .post(body: request.body), url: request.url, caBundle: profile.caBundle,
                    allowsLoopbackPlaintext: request.endpoint.isPlaintext)))
        defer { attempt.line.hangUp() }
        let identities = try await finder.find(for: identity, attempt.purpose) { () async throws(Problem) in
            try await attempt.line.open()
        }
        return try await use.session(of: name, identity, on: occasion, with: identities) { found throws(Problem) in
            try await obtain(attempt, on: found)
        }
    }

    /// One session, with the key of one identity.
    private func obtain(
        _ attempt: Attempt, on found: IdentityFinder.Found
    ) async throws(Problem) -> SessionCredentials {
        let answer = try await answer(to: attempt, found)
        defer { clinux_wipe_stack() }
        let session: SessionCredentials
        do throws(ServiceError) {
            session = try CreateSessionResponse.parse(
                ServiceAnswer(
                    status: answer.status, headers: answer.headers, body: answer.body, receivedAt: clock.wall() / 1000),
                to: attempt.request)
        } catch {
            throw error.problem(
                hint: error.hint(
                    issuer: found.identity.certificate.issuer.description, chainCount: found.chain.count)
            ).ending(with: [found.identity.certificate] + found.chain, after: clock.wall() / 1000)
        }
        log.notice(
            "session",
            metadata: [
                "profile": "\(attempt.name)", "serial": "\(found.identity.certificate.serial.decimal)",
                "token": "\(found.token.snapshot.token.plainName)", "access-key-id": "\(session.accessKeyID)",
                "expiration": "\(UTCTime(secondsSince1970: session.expiration))",
            ])
        return session
    }

    /// Logs in and signs when TLS stands, and sends.
    private func answer(
        to attempt: Attempt, _ found: IdentityFinder.Found
    ) async throws(Problem) -> HTTPResponse {
        let certificate = try SigningCertificate(found)
        try await attempt.line.open()
        try await tokens.logIn(to: found.token, for: attempt.purpose)
        let key = try await finder.confirmedKey(of: found, for: attempt.identity)
        try await attempt.line.open()
        let headers = try await sign(attempt, found, certificate, key)
        try await attempt.line.open()  // a touch may have taken longer than the server waits
        let answer = try await attempt.line.send(headers)
        log.debug(
            "service call",
            metadata: [
                "status": "\(answer.status)", "connect-microseconds": "\(answer.timings.appConnect)",
                "answer-microseconds": "\(answer.timings.answer)",
            ])
        return answer
    }

    private func sign(
        _ attempt: Attempt, _ found: IdentityFinder.Found, _ certificate: SigningCertificate, _ key: KeyLocation
    ) async throws(Problem) -> [HeaderField] {
        let draft = attempt.request.draft(by: certificate, at: clock.wall() / 1000, sha256: Digest.sha256)
        let scheme = SignatureScheme(certificate.keyKind == .rsa ? .rsaPKCS1 : .ecdsa, .sha256)
        return draft.signed(
            signature: try await attempt.signer.sign(draft.stringToSign, by: scheme, with: key, of: found))
    }
}

extension SigningCertificate {
    fileprivate init(_ found: IdentityFinder.Found) throws(Problem) {
        let certificate = found.identity.certificate
        do throws(RequestFault) {
            try self.init(
                der: certificate.der, serial: certificate.serial.decimal, keyKind: certificate.keyKind,
                chain: found.chain.map(\.der))
        } catch {
            throw Problem(
                .noIdentity,
                "\(found.identity.certificateURI ?? found.identity.key.uri, .uri): \(error.message, .reason)",
                hint: "have the certificate issued anew, or name another one")
        }
    }
}

extension Certificate {
    /// By the key, not by how the certificate itself is signed.
    fileprivate var keyKind: SigningCertificate.KeyKind {
        if case .rsa = publicKey { .rsa } else { .ec }
    }
}
