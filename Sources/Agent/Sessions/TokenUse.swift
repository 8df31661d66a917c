import AgentAPI
import Identities
import Logging
import ServiceAnswers
import Synchronization
import TokenService
import Tokens

/// Which tokens the profiles' sessions are signed on, whether that takes a person, and where a spare stands in.
///
/// The sources that sign write it, so that a lock or a removal finds what came from a token.
final class TokenUse: Sendable {
    private let tokens: Tokens
    private let log: Logger
    private let state = Mutex(State())

    private struct State {
        /// The tokens that each profile's sessions have been signed on, or are about to be.
        var tokens: [ProfileName: Set<TokenKey>] = [:]
        /// The gesture that each profile's last signature took, or would have taken.
        var gestures: [ProfileName: Gesture?] = [:]
        var spares = SpareUse()
        /// The tokens that are known to sign for TLS 1.2 alone.
        var withoutPSS: Set<TokenKey> = []
    }

    init(of tokens: Tokens, log: Logger) {
        self.tokens = tokens
        self.log = log
    }

    /// A reload: these are the profiles from now on.
    func keep(_ profiles: Set<ProfileName>) {
        state.withLock { state in
            state.spares.forget(allBut: profiles)
            state.gestures = [:]  // the rules for tokens may be others: the next attempt shows
        }
    }

    /// The tokens changed: forgets which profiles needed a person, because their new tokens may need none.
    func forgetGestures() { state.withLock { state in state.gestures = state.gestures.filter { $0.value == nil } } }

    /// Nil for a profile without an attempt since the last reload, or since its token may have gone.
    func needsPerson(for name: ProfileName) -> Bool? { state.withLock { $0.gestures[name] }.map { $0 != nil } }

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
            state.withoutPSS.subtract(keys)
            return Set(names)
        }
    }

    /// Notes a token whose RSA keys make no RSA-PSS signatures.
    ///
    /// - Returns: Whether that is new.
    func noteWithoutPSS(_ key: TokenKey) -> Bool { state.withLock { $0.withoutPSS.insert(key).inserted } }

    /// The tokens of these profiles' sessions.
    func tokens(ofProfiles isMeant: (ProfileName) -> Bool) -> Set<TokenKey> {
        let tokens = state.withLock(\.tokens)
        return Set(tokens.filter { isMeant($0.key) }.flatMap(\.value))
    }

    /// Whether all of the profile's tokens are locked: a former one, which may never come back, holds up no other. For a
    /// profile that was never used, whether every token is.
    func isLocked(_ name: ProfileName) -> Bool {
        let locks = tokens.locks
        let used = state.withLock { $0.tokens[name] } ?? []
        return used.isEmpty ? locks.areOfAll : used.allSatisfy(locks.contains)
    }

    /// The notices in `status` about profiles that sign with a spare.
    var spareNotices: [String] { state.withLock { $0.spares.notices } }

    /// Tries the identities in their order: a spare where the one before has failed by its token, and not otherwise.
    ///
    /// - Parameter obtain: Obtains a session with one of them.
    func session(
        of name: ProfileName, _ selector: IdentitySelector, on occasion: Occasion,
        with identities: [IdentityFinder.Found],
        obtain: (IdentityFinder.Found) async throws(Problem) -> SessionCredentials
    ) async throws(Problem) -> SessionCredentials {
        var first: Problem?
        // For another user a token that takes a touch or a PIN is none of the spares: it is not tried, so it has not failed.
        let effortless = occasion == .foreign ? identities.filter { $0.gesture == nil } : []
        let tried = effortless.isEmpty ? identities : effortless
        let passedOver = tried.first?.identity == identities.first?.identity ? nil : CredentialCache.needsOwner(name)
        for found in tried {
            do throws(Problem) {
                try begin(found, of: name, on: occasion)
                let session = try await obtain(found)
                state.withLock { $0.spares.note(found, of: name, selector, failed: first ?? passedOver) }
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

    /// Notes the token before the first step, so that a lock of it meanwhile finds the session to drop.
    ///
    /// - Throws: Where a person would have to act who is not to be bothered on this occasion.
    private func begin(_ found: IdentityFinder.Found, of name: ProfileName, on occasion: Occasion) throws(Problem) {
        try begin(on: found.token, of: name, on: occasion, gesture: found.gesture)
    }

    /// The same for a token by itself.
    ///
    /// - Parameter gesture: Of a person, for each signature.
    func begin(
        on token: FoundToken, of name: ProfileName, on occasion: Occasion, gesture: Gesture?
    ) throws(Problem) {
        state.withLock { state in
            state.tokens[name, default: []].insert(token.key)
            state.gestures[name] = .some(gesture)
        }
        switch (gesture, occasion) {
        case (let gesture?, .background): throw gesture.isNotMade(on: token)
        case (_?, .foreign): throw CredentialCache.needsOwner(name)
        default: break
        }
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

extension KeyLocation {
    private var seen: KeyObject? { if case .seen(let key) = visibility { key } else { nil } }

    /// CKA_ALWAYS_AUTHENTICATE; false where the key is not seen before a login.
    var alwaysAuthenticates: Bool { seen?.alwaysAuthenticates ?? false }

    /// CKA_LABEL, which tells keys with one CKA_ID apart.
    var label: [UInt8]? { seen?.label }
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
