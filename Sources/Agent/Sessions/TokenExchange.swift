import AgentAPI
import CLinux
import Clocks
import HTTPTransport
import Identities
import Logging
import Prompts
import ServiceAnswers
import SignatureSchemes
import Tokens
import UTCTime
import X509

/// A request for a session that needs a signature of a token's key.
protocol SignedRequest: Sendable {
    /// For the prompt of a PIN.
    var roleName: String { get }

    /// As far as it can be told without a certificate.
    func unsigned(caBundle: String?) -> HTTPRequest

    /// What TLS has to take of the key; nil where the signature is in the request.
    ///
    /// - Throws: Where the service takes no such certificate. Nothing has been asked of the token.
    func clientKey(of found: IdentityFinder.Found) throws(Problem) -> ClientKey?

    /// Has it signed, once, and sends it.
    ///
    /// - Parameter now: Seconds since 1970.
    func send(on line: ServiceLine, signedBy signer: IdentitySigner, at now: Int64) async throws(Problem)
        -> ServiceAnswer

    /// - Throws: Why there are no credentials in it.
    func session(in answer: ServiceAnswer, for found: IdentityFinder.Found) throws(Problem) -> SessionCredentials
}

/// Signs with the key of one identity.
struct IdentitySigner: Sendable {
    let signer: TokenSigner
    let found: IdentityFinder.Found
    /// The identity's, as its token shows it now.
    let key: KeyLocation

    func sign(_ message: [UInt8], by scheme: SignatureScheme) async throws(Problem) -> [UInt8] {
        try await signer.sign(message, by: scheme, with: key, of: found)
    }
}

/// Obtains sessions for signatures of keys that stay on their tokens.
///
/// One session costs one look at the tokens, beside which the connection to the service opens, then at most one login and
/// one signature: while the service cannot be reached, or takes no signature of such a key, no token is asked for either.
struct TokenExchange: Sendable {
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
        let profile: Profile
        let identity: IdentitySelector
        let request: any SignedRequest
        /// The text of the prompt; nil: no person is asked.
        let purpose: LoginPurpose?
        let occasion: Occasion
        let line: ServiceLine
    }

    /// - Parameter certificate: The one to sign with, of those that the profile can choose; nil: as the profile chooses.
    func session(
        of name: ProfileName, _ profile: Profile, _ identity: IdentitySelector, _ request: any SignedRequest,
        on occasion: Occasion, with certificate: Certificate? = nil
    ) async throws(Problem) -> SessionCredentials {
        let attempt = Attempt(
            name: name, profile: profile, identity: identity, request: request,
            purpose: LoginPurpose(Asking.current, session: ("\(name)", request.roleName)), occasion: occasion,
            line: ServiceLine(to: request.unsigned(caBundle: profile.caBundle), clock: clock, log: log))
        defer { attempt.line.hangUp() }
        let identities = try await finder.find(for: identity, attempt.purpose) { () async throws(Problem) in
            try await attempt.line.open()
        }
        let meant = identities.filter { certificate == nil || $0.identity.certificate == certificate }
        return try await use.session(of: name, identity, on: occasion, with: meant) { found throws(Problem) in
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
        do throws(Problem) {
            session = try attempt.request.session(in: answer, for: found)
        } catch {
            throw error.ending(with: [certificate] + found.chain, after: clock.wall() / 1000)
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

    /// Logs in when the service is known to be there, signs, and sends.
    private func answer(
        to attempt: Attempt, _ found: IdentityFinder.Found
    ) async throws(Problem) -> ServiceAnswer {
        let clientKey = try attempt.request.clientKey(of: found)
        if clientKey == .rsaWithoutPSS, use.noteWithoutPSS(found.token.key) {
            log.notice(
                "the token has no RSA-PSS signatures, so TLS 1.2 is used",
                metadata: ["profile": "\(attempt.name)", "token": "\(found.token.snapshot.token.plainName)"])
        }
        try await attempt.line.open(for: clientKey)
        try await tokens.logIn(to: found.token, for: attempt.purpose)
        let key = try await finder.confirmedKey(of: found, for: attempt.identity)
        try await attempt.line.open(for: clientKey)
        let signer = IdentitySigner(
            signer: TokenSigner(tokens: tokens, occasion: attempt.occasion, allow: attempt.profile.allow),
            found: found, key: key)
        return try await attempt.request.send(on: attempt.line, signedBy: signer, at: clock.wall() / 1000)
    }
}
