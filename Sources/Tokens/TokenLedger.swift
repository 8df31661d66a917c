import PKCS11URI
import Prompts
import TokenService

/// Decides about logins: whether a PIN may be sent to a token, whether a person is asked for one, and when a login ends.
///
/// A pure value: it knows no module and no clock. `Tokens` asks it before each call that may send a PIN, carries the
/// decision out, and notes the answer.
struct TokenLedger: Sendable {
    enum Decision: Hashable, Sendable {
        case send(PINTries.Sending)
        /// Ask again after these milliseconds: PINs follow each other slowly.
        case wait(milliseconds: Int64)
        case refuse(LoginFailure)
    }

    private enum Login: Hashable, Sendable {
        /// None, or with a stored PIN.
        case untimed
        /// The login of a typed PIN ends then, in milliseconds of boot time.
        case typed(until: Int64)
        /// A typed PIN is good for one signature.
        case oneSignature(OneSignature)
    }

    /// How far the one signature of a typed PIN has come.
    private enum OneSignature: Hashable, Sendable {
        case unused
        /// It is made, and the token is to be logged out of after it: a login before that would end with it.
        case taken
        /// It stays so until the next login, whatever became of the logout.
        case spent
    }

    /// What is remembered of a token as one module shows it.
    private struct Account: Sendable {
        var login = Login.untimed
        /// Why nothing is tried for the token by itself, until a person says otherwise. A block that the token's flags tell
        /// of (`.notSent(.locked)`) ends with them as well.
        var refusal: LoginFailure?
        /// The token's flags have told once of a wrong PIN that it had counted.
        var showsCount = false
        /// The next prompt's words about the PIN before.
        var lastPrompt: String?
        /// Unlocks with a typed PIN that wait for the login under way: no person is asked for another one meanwhile.
        var waitingPINs = 0
    }

    private var accounts: [TokenKey: Account] = [:]
    private(set) var locks: Locks
    private(set) var tries: PINTries

    /// How long a login waits before it asks again whether another call has been answered, in milliseconds.
    private static let answerPause: Int64 = 100

    /// - Parameters:
    ///   - locks: What people had locked when the agent before this one ended.
    ///   - tries: What may have cost tokens a try until then.
    init(locks: LockSet = LockSet(), tries: PINTries.Record = PINTries.Record()) {
        self.locks = Locks(people: locks)
        self.tries = PINTries(tries)
    }

    /// Every token of which something is remembered.
    var keys: Set<TokenKey> { tries.keys.union(accounts.keys) }

    // MARK: Locks

    func isLocked(_ key: TokenKey) -> Bool { locks.contains(key) }

    /// Changes the locks, and forgets the PINs that were typed for tokens that are locked then.
    mutating func changeLocks<Result>(_ change: (inout Locks) -> Result) -> Result {
        let before = locks
        let result = change(&locks)
        for key in accounts.keys where locks.contains(key) && !before.contains(key) { forgetTyped(key) }
        return result
    }

    // MARK: Unlocking

    /// Whether a PIN that a login hands over is kept from the token: it was typed for something else, so it must not spend
    /// another try.
    func refusesHandedOver(_ key: TokenKey) -> Bool {
        tries.mayHaveCounted(key)
            || accounts.contains { $0.key.token == key.token && $0.value.refusal?.isOfToken == true }
    }

    /// A person, or a login of theirs, unlocks the token: its locks and refusals end.
    ///
    /// - Parameter moment: When that was asked for. A lock that came later is the person's last word; and the person has not
    ///   seen that an answer is missing since, so even a typed PIN may be the one that it was sent.
    /// - Returns: Why it is not unlocked.
    mutating func beginUnlock(_ key: TokenKey, _ origin: PINTries.Origin, asOf moment: Locks.Moment) -> LoginFailure? {
        if locks.hasLocked(key, since: moment) { return .locked }
        if origin == .handedOver, refusesHandedOver(key) { return .notFromLogin }
        if tries.mayRepeat(origin, to: key, since: moment) { return .unanswered }
        accounts[key]?.refusal = nil
        tries.forgive(key)
        return nil
    }

    /// A typed PIN waits for the login under way.
    mutating func addWaitingPIN(_ key: TokenKey) { accounts[key, default: Account()].waitingPINs += 1 }
    mutating func removeWaitingPIN(_ key: TokenKey) { accounts[key]?.waitingPINs -= 1 }

    // MARK: Sending a PIN

    /// Why nothing may be tried for the token by itself.
    ///
    /// - Parameter isExplicit: A person wants to be asked for the PIN again. That does not unblock a token.
    func standingRefusal(_ key: TokenKey, isExplicit: Bool) -> LoginFailure? {
        accounts[key]?.refusal.flatMap { isExplicit && !$0.isBlocked ? nil : $0 }
    }

    /// Whether a PIN of this origin may be sent to the token now. A decision to send is on record before the call.
    mutating func decide(_ origin: PINTries.Origin, to key: TokenKey, at now: Int64) -> Decision {
        if isLocked(key) { return .refuse(.locked) }
        if origin == .handedOver, refusesHandedOver(key) { return .refuse(.notFromLogin) }
        if tries.owesAnswer(key) { return .refuse(.unanswered) }
        if awaitsLogout(key) { return .wait(milliseconds: Self.answerPause) }
        if !tries.knows(origin, of: key) {
            let rest = max(tries.rest(of: key, at: now), tries.awaitsAnswer(from: key) ? Self.answerPause : 0)
            if rest > 0 { return .wait(milliseconds: rest) }
            guard tries.hasRoom(for: key) else { return .refuse(.triesUnkept) }
        }
        return .send(tries.expectAnswer(to: origin, from: key))
    }

    /// The end of a login.
    ///
    /// - Parameters:
    ///   - lifetime: How long a typed PIN lasts, in seconds; 0: one signature; nil: the login is a keeper's, and no signature
    ///     is made with it.
    ///   - hasStoredPIN: The token's rule names a PIN that is not typed. A typed one says nothing for that one, which may be
    ///     what was refused, and will be tried again.
    mutating func note(
        _ answer: Result<LoginOutcome, ModuleFailure>, to sending: PINTries.Sending, lifetime: Int?,
        hasStoredPIN: Bool, at now: Int64
    ) -> Result<Void, LoginFailure> {
        let (key, origin) = (sending.key, sending.origin)
        tries.note(answer, to: sending, at: now)
        let outcome: LoginOutcome
        switch answer {
        case .failure(let failure): return .failure(.module(failure))
        case .success(let success): outcome = success
        }
        if outcome == .loggedIn {
            var account = accounts[key] ?? Account()
            account.refusal = nil
            if case .stored = origin {
                if lifetime != nil { account.login = .untimed }
            } else if let lifetime {
                account.login =
                    lifetime == 0 ? .oneSignature(.unused) : .typed(until: now + Int64(lifetime) * 1000)
            }
            accounts[key] = account
            tries.noteTaken(origin, by: key, isForAll: !origin.isTyped || !hasStoredPIN)
        }
        note(outcome, of: key)
        return LoginFailure(outcome).map { .failure($0) } ?? .success(())
    }

    /// Notes what the token has refused.
    private mutating func note(_ outcome: LoginOutcome, of key: TokenKey) {
        if case .rejected(_, _, let pin, _) = outcome {
            tries.noteRefused(pin, by: key)
        } else if outcome != .refused(.locked) {
            return
        }
        accounts[key, default: Account()].refusal = LoginFailure(outcome)
    }

    // MARK: Prompts

    /// Why no person is asked for the token's PIN.
    ///
    /// - Parameter isExplicit: A person wants to be asked, and so has looked at a token that owes an answer.
    mutating func decideToAsk(for key: TokenKey, isExplicit: Bool) -> LoginFailure? {
        if isLocked(key) { return .locked }
        if isExplicit { tries.forgive(key) } else if tries.owesAnswer(key) { return .unanswered }
        return accounts[key]?.waitingPINs ?? 0 > 0 ? .needed : nil
    }

    /// What the next prompt says of the PIN before.
    func lastPrompt(_ key: TokenKey) -> String? { accounts[key]?.lastPrompt }

    mutating func noteDeclined(_ decline: PromptAnswer.Decline, for key: TokenKey) {
        accounts[key, default: Account()].refusal = .declined(decline)
    }

    /// Keeps how the login with a PIN ended that a person was asked for. A PIN that was not sent stands as any refusal does,
    /// until the person wants to be asked again.
    mutating func notePrompt(_ result: Result<Void, LoginFailure>, for key: TokenKey) {
        var account = accounts[key] ?? Account()
        account.lastPrompt = nil
        if case .failure(let failure) = result {
            account.lastPrompt = failure.nextPrompt
            if case .notSent = failure, account.refusal == nil { account.refusal = failure }
        }
        accounts[key] = account
    }

    // MARK: Signatures

    /// Takes the one signature that a typed PIN may be good for, before any other caller can.
    ///
    /// - Returns: Whether the token is to be logged out of after it, and `noteSignatureOver` to follow; or why there is no
    ///   signature.
    mutating func takeSignature(_ key: TokenKey) -> Result<Bool, LoginFailure> {
        guard !isLocked(key) else { return .failure(.locked) }
        guard case .oneSignature(let signature)? = accounts[key]?.login else { return .success(false) }
        guard signature == .unused else { return .failure(.needed) }
        accounts[key]?.login = .oneSignature(.taken)
        return .success(true)
    }

    /// Whether the one signature of a typed PIN is made, and the logout after it is still to come.
    func awaitsLogout(_ key: TokenKey) -> Bool { accounts[key]?.login == .oneSignature(.taken) }

    /// The token is logged out of after the one signature of a typed PIN: the next login may come.
    mutating func noteSignatureOver(_ key: TokenKey) {
        if awaitsLogout(key) { accounts[key]?.login = .oneSignature(.spent) }
    }

    /// Why a stored PIN is not sent to a key that wants one for each signature.
    func refusalToSign(_ key: TokenKey) -> LoginFailure? {
        tries.owesAnswer(key) ? .unanswered : accounts[key]?.refusal
    }

    /// Whether a signature has to wait with a stored PIN: another call is under way that sends the card one which may be
    /// wrong, and if it is the same PIN, it would cost two tries.
    func mustWait(with stamp: StoredPINStamp?, on key: TokenKey) -> Bool {
        !tries.knows(.stored(stamp), of: key) && tries.awaitsAnswer(from: key)
    }

    /// A signature may send a stored PIN: on record before the call, as a login is. The login before it has just shown that
    /// the PIN is right, unless its file has changed since.
    mutating func expectSignature(with stamp: StoredPINStamp?, on key: TokenKey) -> PINTries.Sending {
        tries.expectAnswer(to: .stored(stamp), from: key, isSignature: true)
    }

    /// What a signature says of the PIN that its key may want, in one step: neither another signature nor what is written
    /// meanwhile misses what was refused.
    ///
    /// - Parameter sending: What `expectSignature` gave, where a stored PIN may have been sent.
    mutating func noteSignature(
        _ login: Result<LoginOutcome, ModuleFailure>, _ sending: PINTries.Sending?, on key: TokenKey, at now: Int64
    ) {
        if let sending { tries.note(login, to: sending, at: now) }
        if case .success(let outcome) = login { note(outcome, of: key) }
    }

    // MARK: The end of a login

    /// When the login of a typed PIN ends, in milliseconds of boot time; nil where it has no end.
    func loginEnds(_ key: TokenKey) -> Int64? {
        if case .typed(let end)? = accounts[key]?.login { end } else { nil }
    }

    /// Whether the time of a typed PIN is over. Its login counts no more, and may last until the token is logged out of.
    func isOver(_ key: TokenKey, at now: Int64) -> Bool { loginEnds(key).map { now >= $0 } ?? false }

    /// The token is logged out of.
    ///
    /// - Parameter end: The end of the login that was meant, see `loginEnds`: a login that came since stays.
    mutating func noteLogout(_ key: TokenKey, ofLoginUntil end: Int64?) {
        if let end, loginEnds(key) == end { accounts[key]?.login = .untimed }
    }

    /// What was typed for the token is gone, with its worker.
    mutating func forgetTyped(_ key: TokenKey) { accounts[key]?.login = .untimed }

    mutating func forgetAllTyped() { for key in accounts.keys { forgetTyped(key) } }

    // MARK: What is known of tokens

    /// A person has changed the configuration: a stored PIN has a new chance, unless it is one that was refused.
    mutating func forgetRefusals() { for key in accounts.keys { accounts[key]?.refusal = nil } }

    /// Forgets the tokens of modules that are configured no longer, but for what keeps a PIN from being sent again.
    mutating func forgetTokens(outside modules: Set<ModuleIdentity>) {
        tries.keep(only: modules)
        accounts = accounts.filter { modules.contains($0.key.module) || $0.value.waitingPINs > 0 }
    }

    /// A module has shown the token with these flags.
    mutating func noteSeen(_ key: TokenKey, _ flags: TokenFlags) {
        if flags.showCount, accounts[key]?.showsCount != true { accounts[key, default: Account()].showsCount = true }
        if !flags.contains(.userPINLocked), accounts[key]?.refusal == .notSent(.locked) {
            accounts[key]?.refusal = nil  // the vendor's tool has unblocked it
        }
    }

    func isBlocked(_ key: TokenKey) -> Bool { accounts[key]?.refusal?.isBlocked == true }

    /// Whether the token's flags leave open how many tries are left: PKCS#11 lets a token keep its count to itself, and
    /// this one has shown none although it may have counted a PIN.
    func hidesCount(_ key: TokenKey) -> Bool {
        guard accounts[key]?.showsCount != true else { return false }
        return tries.owesAnswer(key) || !tries.refused(by: key).isEmpty
            || accounts[key]?.refusal?.isOfToken == true
    }

    /// What has to be written down of tries, where it has changed since this was asked last.
    mutating func takeUnsavedTries() -> PINTries.Record? { tries.takeUnsaved() }

    /// They could not be written: they are given out again.
    mutating func noteUnsavedTries() { tries.noteUnsaved() }
}
