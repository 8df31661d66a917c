import AgentAPI
import CLinux
import Clocks
import HTTPTransport
import HeaderFields
import Logging
import Prompts
import STS
import ServiceAnswers
import SigV4
import TokenService
import Tokens
import UTCTime

/// Obtains sessions of IAM users from STS by GetSessionToken, signed with access keys whose secrets stay on their tokens.
///
/// One session costs one look at the tokens, at most one login, and one HMAC on the token, which is asked for when TLS stands.
struct AccessKeySource: Sendable {
    private let tokens: Tokens
    private let finder: SecretKeyFinder
    private let use: TokenUse
    private let codes: MFACodes
    private let clock: AgentClock
    private let log: Logger

    init(tokens: Tokens, use: TokenUse, clock: AgentClock, log: Logger) {
        self.tokens = tokens
        self.use = use
        codes = MFACodes(prompts: tokens.prompts, home: tokens.home, clock: clock)
        self.clock = clock
        self.log = log
        finder = SecretKeyFinder(tokens: tokens)
    }

    /// A token's secret key, for one attempt of a profile.
    private struct Signer: Sendable {
        let key: TokenAccessKey
        let token: FoundToken
        let isAskedByName: Bool
        let flow: SigningFlow
    }

    func session(
        of name: ProfileName, _ profile: Profile, _ key: TokenAccessKey, on occasion: Occasion
    ) async throws(Problem) -> SessionCredentials {
        if let device = key.mfa, let refusal = await codes.refusal(of: name, device, on: occasion) { throw refusal }
        var unsigned = key.request.unsigned()
        let service = key.request.service
        let line = ServiceLine(
            to: HTTPRequest(
                method: .post(body: unsigned.body), url: service.url, caBundle: profile.caBundle,
                allowsLoopbackPlaintext: service.endpoint.isPlaintext), clock: clock, log: log)
        defer {
            line.hangUp()
            clinux_wipe_stack()
        }
        let token = try await finder.token(of: key.secretKey)
        try use.begin(
            on: token, of: name, on: occasion,
            gesture: Gesture(
                eachSignatureBy: token.rule, flags: token.snapshot.flags, alwaysAuthenticates: false))
        try await line.open()
        try await tokens.logIn(
            to: token, for: LoginPurpose(Asking.current, session: (profile: "\(name)", role: nil)))
        let proof: MFAProof? = if let device = key.mfa { try await codes.proof(for: name, device) } else { nil }
        if let proof {
            unsigned = key.request.unsigned(mfa: proof)
            line.post(unsigned.body)
        }
        try await line.open()
        let signer = Signer(
            key: key, token: token, isAskedByName: occasion == .demand,
            flow: SigningFlow(users: profile.allow.users, groups: profile.allow.groups))
        let headers = try await unsigned.dated(by: clock, signedBy: key.id) { (day) throws(Problem) in
            try await dateKey(for: day, signer)
        }
        try await line.open()  // a touch may have taken longer than the server waits
        if let proof { try codes.noteSending(proof, for: name) }
        let answer = try await line.send(headers)
        let session: SessionCredentials
        do throws(STSError) {
            session = try STSResponse.session(answer, to: key.request)
        } catch {
            throw error.problem(ofAccessKey: key.id)
        }
        log.notice(
            "session",
            metadata: [
                "profile": "\(name)", "access-key": "\(key.id)",
                "token": "\(token.snapshot.token.plainName)", "access-key-id": "\(session.accessKeyID)",
                "expiration": "\(UTCTime(secondsSince1970: session.expiration))",
            ])
        return session
    }

    private func dateKey(for day: SigningDay, _ signer: Signer) async throws(Problem) -> HeldSecret {
        let token = signer.token.snapshot
        return try await tokens.dateKey(
            DateKeyRequest(
                token: TokenReference(slotID: token.slotID, token: token.token), keyID: signer.key.secretKey.id,
                keyLabel: signer.key.secretKey.object, day: day),
            on: signer.token, isAskedByName: signer.isAskedByName, in: signer.flow)
    }
}
