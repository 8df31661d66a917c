import AgentAPI
import CLinux
import Clocks
import HTTPTransport
import Identities
import IoTCore
import Logging
import Prompts
import ServiceAnswers
import Tokens
import UTCTime
import X509

/// Obtains sessions from the credential provider of AWS IoT Core, with keys that stay on their tokens: TLS itself takes the
/// signature, as the client's proof that it has the key of its certificate.
///
/// One session costs one look at the tokens, beside which TLS begins, then at most one login, one signature, and the rest
/// of that handshake. No token is asked before the server is known by its certificate, and none a second time.
struct IoTCoreSource: Sendable {
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
        let request: RoleAliasRequest
        /// The text of the prompt; nil: no person is asked.
        let purpose: LoginPurpose?
        let signer: TokenSigner
        let line: ServiceLine
    }

    func session(
        of name: ProfileName, _ profile: Profile, _ identity: IdentitySelector, _ request: RoleAliasRequest,
        on occasion: Occasion
    ) async throws(Problem) -> SessionCredentials {
        let attempt = Attempt(
            name: name, identity: identity, request: request,
            purpose: LoginPurpose(Asking.current, session: ("\(name)", request.roleAlias)),
            signer: TokenSigner(tokens: tokens, occasion: occasion, allow: profile.allow),
            line: ServiceLine(
                to: HTTPRequest(
                    method: .get, url: request.url, headers: request.headers, caBundle: profile.caBundle,
                    clientAuthentication: .anyScheme)))
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
        let certificate = found.identity.certificate
        let session: SessionCredentials
        do throws(RoleAliasError) {
            session = try RoleAliasResponse.parse(
                ServiceAnswer(
                    status: answer.status, headers: answer.headers, body: answer.body, receivedAt: clock.wall() / 1000))
        } catch {
            throw error.problem(hint: error.hint(for: attempt.request, certificate: certificate.serial.decimal))
                .ending(with: [certificate] + found.chain, after: clock.wall() / 1000)
        }
        log.notice(
            "session",
            metadata: [
                "profile": "\(attempt.name)", "serial": "\(certificate.serial.decimal)",
                "token": "\(found.token.snapshot.token.plainName)", "access-key-id": "\(session.accessKeyID)",
                "expiration": "\(UTCTime(secondsSince1970: session.expiration))",
            ])
        return session
    }

    /// Logs in when the server asks for the certificate, signs, and sends.
    private func answer(
        to attempt: Attempt, _ found: IdentityFinder.Found
    ) async throws(Problem) -> HTTPResponse {
        let authentication = authentication(of: found, attempt.name)
        try await attempt.line.open(with: authentication)
        try await tokens.logIn(to: found.token, for: attempt.purpose)
        let key = try await finder.confirmedKey(of: found, for: attempt.identity)
        try await attempt.line.open(with: authentication)
        let chain = [found.identity.certificate.der] + found.chain.map(\.der)
        let answer = try await attempt.line.send(
            as: ClientIdentity(chain: chain) { wanted in
                try await attempt.signer.sign(wanted.message, by: wanted.scheme, with: key, of: found)
            })
        log.debug(
            "service call",
            metadata: [
                "status": "\(answer.status)", "connect-microseconds": "\(answer.timings.appConnect)",
                "answer-microseconds": "\(answer.timings.answer)",
            ])
        return answer
    }

    private func authentication(of found: IdentityFinder.Found, _ name: ProfileName) -> ClientAuthentication {
        guard case .rsa = found.identity.certificate.publicKey, !found.token.snapshot.hasPSS else { return .anyScheme }
        log.notice(
            "the token has no RSA-PSS signatures, so TLS 1.2 is used",
            metadata: ["profile": "\(name)", "token": "\(found.token.snapshot.token.plainName)"])
        return .withoutPSS
    }
}

extension RoleAliasError {
    fileprivate func problem(hint: String?) -> Problem {
        switch kind {
        case .throttled(let seconds): Problem(.awsThrottled, "\(message, .reason)", hint: hint, retryAfter: seconds)
        case .server(let seconds): Problem(.awsUnavailable, "\(message, .reason)", hint: hint, retryAfter: seconds)
        case .accessDenied: Problem(.awsDenied, "\(message, .reason)", hint: hint)
        case .rejected, .notFound: Problem(.awsRejected, "\(message, .reason)", hint: hint)
        case .notJSON, .redirect, .expiredAnswer, .malformed, .other:
            Problem(.awsAnswerInvalid, "\(message, .reason)", hint: hint)
        }
    }
}
