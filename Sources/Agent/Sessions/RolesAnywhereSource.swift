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
import Synchronization
import TokenService
import Tokens
import UTCTime
import X509

/// Obtains sessions from IAM Roles Anywhere, with keys that stay on their tokens.
///
/// One session costs one look at the tokens, beside which the connection to the service opens, then at most one login and
/// one signature: while the service cannot be reached, no token is asked for either.
final class RolesAnywhereSource: CredentialSource {
    private let tokens: Tokens
    private let finder: IdentityFinder
    private let clock: AgentClock
    private let log: Logger
    private let state: Mutex<State>

    private struct State {
        var profiles: [ProfileName: Profile]
        /// The files that `[[token]]` tables name.
        var pinFiles: [String]
        /// The tokens that each profile's sessions have been signed on, or are about to be.
        var tokens: [ProfileName: Set<TokenKey>] = [:]
        /// The gesture that each profile's last signature took, or would have taken.
        var gestures: [ProfileName: Gesture?] = [:]
        var spares = SpareUse()
    }

    init(_ configuration: Configuration, tokens: Tokens, clock: AgentClock, log: Logger) {
        self.tokens = tokens
        self.clock = clock
        self.log = log
        finder = IdentityFinder(tokens: tokens, clock: clock)
        state = Mutex(State(profiles: configuration.profiles, pinFiles: configuration.pinFiles))
    }

    /// A reload. Attempts under way end with the configuration that they began with.
    func replace(_ configuration: Configuration) {
        state.withLock { state in
            state.profiles = configuration.profiles
            state.pinFiles = configuration.pinFiles
            state.spares.forget(allBut: Set(configuration.profiles.keys))
            state.gestures = [:]  // the rules for tokens may be others: the next attempt shows
        }
    }

    /// The tokens changed: forgets which profiles needed a person, because their new tokens may need none.
    func forgetGestures() { state.withLock { state in state.gestures = state.gestures.filter { $0.value == nil } } }

    /// Nil for a profile without an attempt since the last reload, or since its token may have gone.
    func needsPerson(for name: ProfileName) -> Bool? { state.withLock { $0.gestures[name] }.map { $0 != nil } }

    func files(of name: ProfileName) async -> [FileStamp?] {
        let paths = state.withLock { state in state.profiles[name].map { $0.files + state.pinFiles } ?? [] }
        return await onOwnThread { paths.map { FileStamp($0) } }
    }

    /// The profiles with a session that was signed on one of these tokens, or is under way there.
    func profiles(on keys: Set<TokenKey>) -> Set<ProfileName> {
        state.withLock { state in Set(state.tokens.filter { !keys.isDisjoint(with: $0.value) }.keys) }
    }

    /// Every token that a session has been signed on, or is about to be.
    var usedTokens: Set<TokenKey> {
        state.withLock { state in state.tokens.values.reduce(into: []) { $0.formUnion($1) } }
    }

    /// Returns the profiles whose sessions used these removed tokens, and forgets those tokens. The caller discards
    /// sessions in flight; new ones will come from a spare.
    func profiles(leaving keys: Set<TokenKey>) -> Set<ProfileName> {
        state.withLock { state in
            let names = state.tokens.filter { !keys.isDisjoint(with: $0.value) }.keys
            for name in names { state.tokens[name]?.subtract(keys) }
            return Set(names)
        }
    }

    /// The tokens whose sessions are held for some profile.
    func tokens(of published: PublishedCredentials) -> Set<TokenKey> {
        state.withLock { state in
            Set(state.tokens.filter { published.holds($0.key) }.flatMap(\.value))
        }
    }

    /// Whether all of the profile's tokens are locked: a former one, which may never come back, holds up no other. For a
    /// profile that was never used, whether every token is.
    func isLocked(_ name: ProfileName) -> Bool {
        let locks = tokens.locks
        let used = state.withLock { $0.tokens[name] } ?? []
        return used.isEmpty ? locks.areOfAll : used.allSatisfy(locks.contains)
    }

    func credentials(
        for name: ProfileName, on occasion: Occasion
    ) async throws(Problem) -> SessionCredentials {
        guard let profile = state.withLock({ $0.profiles[name] }) else {
            throw .unknownProfile("\(name)")
        }
        let attempt = Attempt(
            name: name, profile: profile, occasion: occasion,
            purpose: LoginPurpose(Asking.current, session: ("\(name)", "\(profile.session.scope.roleARN)")),
            line: ServiceLine(to: profile))
        defer { attempt.line.hangUp() }
        do throws(Problem) {
            let identities = try await finder.find(for: profile, attempt.purpose) { () async throws(Problem) in
                try await attempt.line.open()
            }
            return try await obtain(attempt, onOneOf: identities)
        } catch {
            log.warning(
                "no session",
                metadata: ["profile": "\(name)", "code": "\(error.code.rawValue)", "why": "\(error.detail)"])
            throw error
        }
    }

    /// One attempt to obtain a session.
    private struct Attempt: Sendable {
        let name: ProfileName
        let profile: Profile
        let occasion: Occasion
        /// The text of the prompt; nil: no person is asked.
        let purpose: LoginPurpose?
        let line: ServiceLine
    }

    /// Tries the identities in their order: a spare where the one before has failed by its token, and not otherwise.
    private func obtain(
        _ attempt: Attempt, onOneOf identities: [IdentityFinder.Found]
    ) async throws(Problem) -> SessionCredentials {
        let (name, occasion) = (attempt.name, attempt.occasion)
        var first: Problem?
        // For another user a token that takes a touch or a PIN is none of the spares: it is not tried, so it has not failed.
        let effortless = occasion == .foreign ? identities.filter { $0.gesture == nil } : []
        let tried = effortless.isEmpty ? identities : effortless
        let passedOver = tried.first?.identity == identities.first?.identity ? nil : CredentialCache.needsOwner(name)
        for found in tried {
            do throws(Problem) {
                let session = try await obtain(attempt, on: found)
                state.withLock { state in
                    state.spares.note(found, of: name, attempt.profile.identity, failed: first ?? passedOver)
                }
                return session
            } catch {
                guard error.isOfToken else { throw first ?? error }
                if found.identity != tried.last?.identity {
                    log.warning(
                        "the next spare is tried",
                        metadata: ["profile": "\(name)", "code": "\(error.code.rawValue)", "why": "\(error.detail)"])
                }
                first = first ?? error
            }
        }
        throw first ?? Problem(.noIdentity, "no certificate was found")
    }

    private func obtain(
        _ attempt: Attempt, on found: IdentityFinder.Found
    ) async throws(Problem) -> SessionCredentials {
        let name = attempt.name
        // Before the first step, so that a lock of this token meanwhile finds the session to drop.
        let gesture = found.gesture
        state.withLock { state in
            state.tokens[name, default: []].insert(found.token.key)
            state.gestures[name] = .some(gesture)
        }
        switch (gesture, attempt.occasion) {
        case (let gesture?, .background): throw gesture.isNotMade(on: found.token)
        case (_?, .foreign): throw CredentialCache.needsOwner(name)
        default: break
        }
        let answer = try await answer(to: attempt, found)
        defer { clinux_wipe_stack() }
        let session: SessionCredentials
        do throws(ServiceError) {
            session = try CreateSessionResponse.parse(
                ServiceAnswer(
                    status: answer.status, headers: answer.headers, body: answer.body, receivedAt: clock.wall() / 1000),
                to: attempt.profile.session)
        } catch {
            throw error.problem(
                hint: error.hint(
                    issuer: found.identity.certificate.issuer.description, chainCount: found.chain.count)
            ).ending(with: [found.identity.certificate] + found.chain, after: clock.wall() / 1000)
        }
        log.notice(
            "session",
            metadata: [
                "profile": "\(name)", "serial": "\(found.identity.certificate.serial.decimal)",
                "token": "\(found.token.snapshot.token.plainName)", "access-key-id": "\(session.accessKeyID)",
                "expiration": "\(UTCTime(secondsSince1970: session.expiration))",
            ])
        return session
    }

    /// The notices in `status` about profiles that sign with a spare.
    var spareNotices: [String] { state.withLock { $0.spares.notices } }

    /// Logs in and signs when TLS stands, and sends.
    private func answer(
        to attempt: Attempt, _ found: IdentityFinder.Found
    ) async throws(Problem) -> HTTPResponse {
        let certificate = try SigningCertificate(found)
        try await attempt.line.open()
        try await tokens.logIn(to: found.token, for: attempt.purpose)
        let key = try await finder.confirmedKey(of: found, for: attempt.profile)
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

    /// Signs, and verifies: a signature that the certificate does not verify is never sent.
    private func sign(
        _ attempt: Attempt, _ found: IdentityFinder.Found, _ certificate: SigningCertificate, _ key: KeyLocation
    ) async throws(Problem) -> [HeaderField] {
        let profile = attempt.profile
        let draft = profile.session.draft(by: certificate, at: clock.wall() / 1000, sha256: Digest.sha256)
        let signature = try await tokens.sign(
            SignRequest(
                token: TokenReference(slotID: key.slotID, token: key.token), keyID: key.id, keyLabel: key.label,
                publicHalf: key.publicHalf, message: draft.stringToSign, digest: Digest.sha256(draft.stringToSign)),
            on: found.token, isAskedByName: attempt.occasion == .demand,
            in: SigningFlow(users: profile.allow.users, groups: profile.allow.groups))
        guard found.identity.certificate.verifies(signature: signature, message: draft.stringToSign) else {
            throw key.misfit
        }
        return draft.signed(signature: signature)
    }
}

/// The line to a profile's service for one attempt. It opens while the tokens are looked at, and anew where that, or a
/// person at a PIN, has taken so long that the server may hang up: nothing has been sent yet, and another is cheap.
private final class ServiceLine: Sendable {
    private let request: HTTPRequest
    private let connection: Mutex<HTTPConnection>

    /// How long a server is expected to wait in silence.
    private static let patience = Duration.seconds(3)

    init(to profile: Profile) {
        let session = profile.session
        request = HTTPRequest(
            method: .post(body: session.body), url: session.url, caBundle: profile.caBundle,
            allowsLoopbackPlaintext: session.endpoint.isPlaintext)
        connection = Mutex(HTTPConnection(for: request))
    }

    /// Waits until TLS stands, on a connection that is still young.
    ///
    /// - Throws: Why the service cannot be reached.
    func open() async throws(Problem) {
        do {
            let old = connection.withLock(\.self)
            guard try await old.opened() > Self.patience else { return }
            old.hangUp()
            let new = HTTPConnection(for: request)
            connection.withLock { $0 = new }
            try await new.opened()
        } catch {
            throw Problem(ofSending: error)
        }
    }

    func send(_ headers: [HeaderField]) async throws(Problem) -> HTTPResponse {
        do {
            return try await connection.withLock(\.self).send(headers)
        } catch {
            throw Problem(ofSending: error)
        }
    }

    func hangUp() { connection.withLock(\.self).hangUp() }
}

extension Problem {
    /// - Parameter error: The error of `HTTPConnection`.
    fileprivate init(ofSending error: any Error) {
        self =
            (error as? TransportError)?.problem
            ?? Problem(.shuttingDown, "the request was cancelled", hint: "try again")
    }
}

extension Profile {
    /// The files that it names.
    fileprivate var files: [String] {
        var files = [identity.intermediates, caBundle].compactMap(\.self)
        if case .file(let path) = identity.certificate { files.append(path) }
        return files
    }
}

extension Configuration {
    fileprivate var pinFiles: [String] {
        tokens.compactMap { if case .file(let path) = $0.pinSource { path } else { nil } }
    }
}

extension IdentityFinder.Found {
    /// The gesture that the signature takes.
    var gesture: Gesture? {
        Gesture(
            eachSignatureBy: token.rule, flags: token.snapshot.flags,
            alwaysAuthenticates: identity.key.alwaysAuthenticates)
    }
}

extension Gesture {
    /// The problem of a refresh in the background, which asks no person.
    fileprivate func isNotMade(on token: FoundToken) -> Problem {
        let name = token.snapshot.token.displayName
        return switch self {
        case .touch:
            Problem(
                .tokenBusy, "token \(name, .token) wants a touch", hint: "ask again, and touch it when it blinks",
                retry: .person)
        case .pin: Problem(.pinNeeded, "token \(name, .token) needs its PIN", hint: "run 'tokenward unlock'")
        }
    }
}

extension KeyLocation {
    private var seen: KeyObject? { if case .seen(let key) = visibility { key } else { nil } }

    /// CKA_ALWAYS_AUTHENTICATE; false where the key is not seen before a login.
    var alwaysAuthenticates: Bool { seen?.alwaysAuthenticates ?? false }

    /// The problem if the certificate does not verify a signature. A key that was never compared with the certificate
    /// is another certificate's key.
    fileprivate var misfit: Problem {
        isConfirmed
            ? Problem(
                .signatureInvalid, "the signature of \(uri, .uri) does not fit the certificate, so it was not sent",
                hint: "the token has signed with another key than the one it shows: try again, or try another module")
            : Problem(
                .noIdentity,
                "\(uri, .uri) is not the certificate's key: its signature does not fit, so it was not sent",
                hint: "give the certificate the CKA_ID of its own key, or name that key as private-key")
    }

    /// CKA_LABEL, which tells keys with one CKA_ID apart.
    fileprivate var label: [UInt8]? { seen?.label }

    /// The key's name; it tells keys with one CKA_ID apart, too.
    fileprivate var publicHalf: PublicHalf? {
        switch visibility {
        case .seen(let key), .publicHalf(let key): key.publicHalf
        case .hidden: nil
        }
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
