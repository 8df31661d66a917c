import PKCS11URI
import Prompts
import TokenService

/// Decides about logins: which tokens are locked, who is logged in and until when, which PINs a token has refused or not
/// answered to, and when it may be sent another one.
///
/// A pure value: it knows no module and no clock. `Tokens` asks it before each call that may send a PIN, carries the
/// decision out, and notes the answer. Two modules may show one card, so a decision that guards the card's tries looks at
/// every token of the same description.
struct TokenLedger: Sendable {
    /// Where the PIN of a login comes from.
    enum PINOrigin: Hashable, Sendable {
        /// A person has typed it for this token.
        case typed
        /// A login of the user has handed it over: nobody has typed it for this token.
        case handedOver
        /// A file, with its state; nil where the file cannot be looked at.
        case stored(StoredPINStamp?)
        /// A person types it on the reader's keypad.
        case keypad

        var isTyped: Bool { self == .typed || self == .handedOver }
    }

    /// A PIN that may be sent. Its answer has to be noted, whatever it is.
    struct Sending: Hashable, Sendable {
        let key: TokenKey
        let origin: PINOrigin
        /// The token has taken this stored PIN before: it costs no try unless it was changed on the token since.
        let isKnown: Bool
        /// A signature sends it, to a key that wants a PIN each time.
        var isSignature = false
    }

    enum Decision: Hashable, Sendable {
        case send(Sending)
        /// Ask again after these milliseconds: PINs follow each other slowly.
        case wait(milliseconds: Int64)
        case refuse(LoginFailure)
    }

    /// What may have cost tokens a try, and has to outlive a restart of the agent.
    struct Tries: Hashable, Sendable {
        /// PINs that tokens have refused.
        var refused: [TokenKey: [FailedPIN]] = [:]
        /// Tokens that were sent a PIN that may be wrong, and whose answer is not known.
        var unanswered: Set<TokenKey> = []
        /// There may be more that could not be read: until a person unlocks it, every token is taken for one of those.
        var areUnknown = false
    }

    private enum Login: Hashable, Sendable {
        /// Nobody is, or with a stored PIN.
        case untimed
        /// The login of a typed PIN ends then, in milliseconds of boot time.
        case typed(until: Int64)
        /// A typed PIN is good for one signature. A spent one stays so until the next login: the token may be logged in for
        /// a moment more.
        case oneSignature(isSpent: Bool)
    }

    /// A refusal that stands until a person says otherwise.
    private enum Refusal: Hashable, Sendable {
        /// The token refused the PIN.
        case rejected(name: String, oddities: [PINOddity])
        /// CKR_PIN_LOCKED; or the token's flags say so, and take it back when they say so no longer.
        case blocked(byFlags: Bool)
        /// A person was asked, and gave none.
        case declined(PromptAnswer.Decline)
        /// A person gave one that was not sent.
        case notSent(LoginRefusal)

        /// The token's judgement of a PIN.
        init(returnValue: UInt64, name: String, oddities: [PINOddity]) {
            self =
                returnValue == LoginOutcome.pinLocked
                ? .blocked(byFlags: false) : .rejected(name: name, oddities: oddities)
        }

        var failure: LoginFailure {
            switch self {
            case .rejected(let name, let oddities): .rejected(name: name, oddities: oddities)
            case .blocked: .blocked
            case .declined(let decline): .declined(decline)
            case .notSent(let refusal): .notSent(refusal)
            }
        }

        var isBlocked: Bool { if case .blocked = self { true } else { false } }

        /// The token itself has judged a PIN.
        var isOfToken: Bool {
            switch self {
            case .rejected, .blocked: true
            case .declined, .notSent: false
            }
        }
    }

    /// What is remembered of a token as one module shows it.
    private struct Account: Sendable {
        var login = Login.untimed
        var refusal: Refusal?
        /// PINs that the token has refused: never sent again.
        var refused: [FailedPIN] = []
        /// A PIN that may be wrong was sent, and its answer is not known: it may have cost a try. Until a person unlocks the
        /// token it is sent no other.
        var owesAnswer = false
        /// Calls under way that may send a PIN that may be wrong.
        var unansweredCalls = 0
        /// The token's flags have told once of a wrong PIN that it had counted.
        var showsCount = false
        /// The stored PIN that the token has taken in this agent's life: a login that a crash cuts short costs it no try.
        var takenPIN: StoredPINStamp?
        var unjudgedRepeats = UnjudgedRepeats()
        /// The next prompt's words on what became of the PIN before.
        var lastPrompt: String?
        /// Unlocks with a typed PIN that wait for the login under way: nobody is asked for another one meanwhile.
        var waitingPINs = 0

        var isDoubtful: Bool { owesAnswer || unansweredCalls > 0 }
        var isEmpty: Bool { refused.isEmpty && !isDoubtful && waitingPINs == 0 }
    }

    private var accounts: [TokenKey: Account] = [:]
    private(set) var locks: Locks
    /// Tokens whose locks unlocks under way have taken back; until an unlock has worked its lock is to outlive the agent.
    private var suspended: [TokenKey: Int] = [:]
    private var pace = LoginPace()
    /// `tries` has changed since `takeUnsavedTries`.
    private var hasUnsavedTries = false
    /// See `Tries.areUnknown`; nil where all are known.
    private var unlockedSinceUnknown: Set<TokenDescription>?

    /// How long a login waits before it asks again whether another call has been answered, in milliseconds.
    private static let answerPause: Int64 = 100
    /// The most refused PINs and missing answers that are kept of one module's tokens.
    private static let mostKeptOfModule = 256

    /// - Parameters:
    ///   - locks: What people had locked when the agent before this one ended.
    ///   - tries: What may have cost tokens a try until then.
    init(locks: LockSet = LockSet(), tries: Tries = Tries()) {
        self.locks = Locks(people: locks)
        for (key, pins) in tries.refused { accounts[key, default: Account()].refused = pins }
        for key in tries.unanswered { accounts[key, default: Account()].owesAnswer = true }
        if tries.areUnknown { unlockedSinceUnknown = [] }
    }

    /// Every token of which something is remembered.
    var keys: Set<TokenKey> { Set(accounts.keys) }

    // MARK: Locks

    func isLocked(_ key: TokenKey) -> Bool { locks.contains(key) }

    /// What people have locked, for the agent that is started after this one.
    var lastingLocks: LockSet {
        suspended.keys.reduce(into: locks.people) { $0.set($1, isLocked: true) }
    }

    /// Locks these tokens until `unlock`, and forgets the PINs that were typed for them.
    mutating func lock(_ keys: Set<TokenKey>) {
        for key in keys {
            locks.lock(key)
            forgetTyped(key)
        }
    }

    /// As `lock`, for every token, those that come later included.
    mutating func lockAll() {
        locks.lockAll()
        forgetAllTyped()
    }

    /// Locks every token for as long as the event lasts.
    ///
    /// - Returns: False where it lasts already.
    mutating func begin(_ event: LockEvent) -> Bool {
        guard locks.begin(event) else { return false }
        forgetAllTyped()
        return true
    }

    /// - Returns: Whether no event locks any more.
    mutating func end(_ event: LockEvent) -> Bool { locks.end(event) }

    // MARK: Unlocking

    /// An unlock as it was asked for.
    struct UnlockRequest: Sendable {
        let key: TokenKey
        let origin: PINOrigin
        /// When it was asked for: a lock that came later is the person's last word.
        let moment: Locks.Moment
        /// The token owed an answer then, which the person has looked at. A login that has ended without an answer since is
        /// news.
        let mayForgive: Bool
    }

    func unlockRequest(_ key: TokenKey, _ origin: PINOrigin, asOf moment: Locks.Moment) -> UnlockRequest {
        UnlockRequest(key: key, origin: origin, moment: moment, mayForgive: owesAnswer(key))
    }

    /// An unlock under way, and the locks that it takes back where it comes to nothing.
    struct Unlocking: Sendable {
        fileprivate let key: TokenKey
        fileprivate let before: Locks
    }

    /// Whether a PIN that a login hands over is kept from the token: it was typed for something else, so it must not spend
    /// another try.
    func refusesHandedOver(_ key: TokenKey) -> Bool {
        mayOweUnknown(key)
            || same(key).contains { !$0.refused.isEmpty || $0.isDoubtful || $0.refusal?.isOfToken == true }
    }

    /// A person, or a login of theirs, unlocks the token: its locks and refusals end.
    mutating func beginUnlock(_ request: UnlockRequest) -> Result<Unlocking, LoginFailure> {
        let (key, origin) = (request.key, request.origin)
        if locks.hasLocked(key, since: request.moment) { return .failure(.locked) }
        if !origin.isTyped, !request.mayForgive, owesAnswer(key) { return .failure(.unanswered) }
        if origin == .handedOver, refusesHandedOver(key) { return .failure(.notFromLogin) }
        let unlocking = Unlocking(key: key, before: locks)
        if locks.people.contains(key) { suspended[key, default: 0] += 1 }
        locks.unlock(key)
        accounts[key, default: Account()].refusal = nil
        forgive(key)
        return .success(unlocking)
    }

    mutating func endUnlock(_ unlocking: Unlocking, hasWorked: Bool) {
        let key = unlocking.key
        if unlocking.before.people.contains(key) {
            suspended[key] = suspended[key].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
        if !hasWorked { locks.restore(key, from: unlocking.before) }
    }

    /// A typed PIN waits for the login under way.
    mutating func addWaitingPIN(_ key: TokenKey) { accounts[key, default: Account()].waitingPINs += 1 }
    mutating func removeWaitingPIN(_ key: TokenKey) { accounts[key]?.waitingPINs -= 1 }

    // MARK: Sending a PIN

    /// Why nothing may be tried for the token by itself.
    ///
    /// - Parameter isExplicit: A person wants to be asked for the PIN again. That does not unblock a token.
    func standingRefusal(_ key: TokenKey, isExplicit: Bool) -> LoginFailure? {
        guard let refusal = accounts[key]?.refusal, !isExplicit || refusal.isBlocked else { return nil }
        return refusal.failure
    }

    /// Whether a PIN of this origin may be sent to the token now. A decision to send is on record before the call: a module
    /// that crashes in C_Login takes the answer with it.
    mutating func decide(_ origin: PINOrigin, to key: TokenKey, at now: Int64) -> Decision {
        if isLocked(key) { return .refuse(.locked) }
        if owesAnswer(key) { return .refuse(.unanswered) }
        if isTaken(origin, by: key) { return .send(Sending(key: key, origin: origin, isKnown: true)) }
        let rest = max(pace.rest(for: key.token, at: now), awaitsAnswer(from: key) ? Self.answerPause : 0)
        if rest > 0 { return .wait(milliseconds: rest) }
        guard hasRoomForTries(of: key) else { return .refuse(.triesUnkept) }
        expectAnswer(from: key)
        return .send(Sending(key: key, origin: origin, isKnown: false))
    }

    /// What the token has refused: no PIN of these is sent again.
    func refusedPINs(of key: TokenKey) -> [FailedPIN] { same(key).flatMap(\.refused) }

    /// What a login has come to.
    ///
    /// - Parameters:
    ///   - lifetime: How long a typed PIN lasts, in seconds; 0: one signature.
    ///   - hasStoredPIN: The token's rule names a PIN that is not typed. A typed one says nothing for that one, which may be
    ///     what was refused, and will be tried again.
    mutating func note(
        _ answer: Result<LoginOutcome, ModuleFailure>, to sending: Sending, lifetime: Int, hasStoredPIN: Bool,
        at now: Int64
    ) -> Result<Void, LoginFailure> {
        let key = sending.key
        if answer.mayHaveSentPIN { pace.note(key.token, isTaken: answer == .success(.loggedIn), at: now) }
        noteTry(answer, sending, at: now)
        let outcome: LoginOutcome
        switch answer {
        case .failure(let failure): return .failure(.module(failure))
        case .success(let success): outcome = success
        }
        if outcome == .loggedIn {
            accounts[key, default: Account()].refusal = nil
            if !sending.origin.isTyped || !hasStoredPIN { forgetRefused(key) }
            switch sending.origin {
            case .stored(let stamp):
                accounts[key]?.takenPIN = stamp
                accounts[key]?.login = .untimed
            case .typed, .handedOver, .keypad:
                accounts[key]?.login =
                    lifetime == 0 ? .oneSignature(isSpent: false) : .typed(until: now + Int64(lifetime) * 1000)
            }
        }
        note(outcome, of: key)
        return Self.failure(of: outcome).map { .failure($0) } ?? .success(())
    }

    /// Notes what the token has refused.
    private mutating func note(_ outcome: LoginOutcome, of key: TokenKey) {
        switch outcome {
        case .loggedIn, .notNeeded: return
        case .refused(let refusal):
            if refusal == .locked { accounts[key, default: Account()].refusal = .blocked(byFlags: true) }
        case .rejected(let value, let name, let failed, let oddities):
            accounts[key, default: Account()].refusal = Refusal(returnValue: value, name: name, oddities: oddities)
            accounts[key]?.takenPIN = nil
            guard let failed else { return }
            let others = accounts[key]?.refused.filter { $0 != failed } ?? []
            accounts[key]?.refused = (others + [failed]).suffix(FailedPIN.mostOfToken)
            hasUnsavedTries = true
        }
    }

    /// Why there is no login; nil where there is one.
    static func failure(of outcome: LoginOutcome) -> LoginFailure? {
        switch outcome {
        case .loggedIn, .notNeeded: nil
        case .refused(let refusal): .notSent(refusal)
        case .rejected(let value, let name, _, let oddities):
            Refusal(returnValue: value, name: name, oddities: oddities).failure
        }
    }

    // MARK: Prompts

    /// Why nobody is asked for the token's PIN.
    ///
    /// - Parameter isExplicit: A person wants to be asked, and so has looked at what the token owes an answer to.
    mutating func decideToAsk(for key: TokenKey, isExplicit: Bool) -> LoginFailure? {
        if isLocked(key) { return .locked }
        if isExplicit { forgive(key) } else if owesAnswer(key) { return .unanswered }
        return accounts[key]?.waitingPINs ?? 0 > 0 ? .needed : nil
    }

    /// What the next prompt says of the PIN before.
    func lastPrompt(_ key: TokenKey) -> String? { accounts[key]?.lastPrompt }

    mutating func noteDeclined(_ decline: PromptAnswer.Decline, for key: TokenKey) {
        accounts[key, default: Account()].refusal = .declined(decline)
    }

    /// Keeps what has become of a PIN that a person was asked for. A PIN that was not sent stands as any refusal does, until
    /// the person wants to be asked again.
    mutating func notePrompt(_ result: Result<Void, LoginFailure>, for key: TokenKey) {
        var account = accounts[key] ?? Account()
        account.lastPrompt = nil
        if case .failure(.rejected(let code, let oddities)) = result {
            let oddities = oddities.sentence.map { " It had \($0)." } ?? ""
            account.lastPrompt = "The token refused the last PIN (\(code)).\(oddities)"
        }
        if case .failure(.notSent(let refusal)) = result {
            account.refusal = account.refusal ?? .notSent(refusal)
            account.lastPrompt = refusal.afterwards
        }
        accounts[key] = account
    }

    // MARK: Signatures

    /// Takes the one signature that a typed PIN may be good for, before anybody else can.
    ///
    /// - Returns: Whether the token is to be logged out of after it; or why there is no signature.
    mutating func takeSignature(_ key: TokenKey) -> Result<Bool, LoginFailure> {
        guard !isLocked(key) else { return .failure(.locked) }
        guard case .oneSignature(let isSpent)? = accounts[key]?.login else { return .success(false) }
        guard !isSpent else { return .failure(.needed) }
        accounts[key]?.login = .oneSignature(isSpent: true)
        return .success(true)
    }

    /// Why a stored PIN is not sent to a key that wants one for each signature.
    func refusalToSign(_ key: TokenKey) -> LoginFailure? {
        owesAnswer(key) ? .unanswered : accounts[key]?.refusal?.failure
    }

    /// Whether a signature has to wait with a stored PIN: another call is under way that sends the card one which may be
    /// wrong, and if it is the same PIN, it would cost two tries.
    func mustWait(with stamp: StoredPINStamp?, on key: TokenKey) -> Bool {
        !isTaken(.stored(stamp), by: key) && awaitsAnswer(from: key)
    }

    private func awaitsAnswer(from key: TokenKey) -> Bool { same(key).contains { $0.unansweredCalls > 0 } }

    /// A signature may send a stored PIN: on record before the call, as a login is. The login before it has just shown that
    /// the PIN is right, unless its file has changed since.
    mutating func expectSignature(with stamp: StoredPINStamp?, on key: TokenKey) -> Sending {
        let origin = PINOrigin.stored(stamp)
        let sending = Sending(key: key, origin: origin, isKnown: isTaken(origin, by: key), isSignature: true)
        if !sending.isKnown { expectAnswer(from: key) }
        return sending
    }

    /// What a signature says of the PIN that its key may want, in one step: neither another signature nor what is written
    /// meanwhile misses what was refused.
    ///
    /// - Parameter sending: What `expectSignature` gave, where a stored PIN may have been sent.
    mutating func noteSignature(
        _ login: Result<LoginOutcome, ModuleFailure>, _ sending: Sending?, on key: TokenKey, at now: Int64
    ) {
        if let sending { noteTry(login, sending, at: now) }
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

    /// A person has changed the configuration: a stored PIN has a new chance, unless it is one that was refused.
    mutating func forgetRefusals() { for key in accounts.keys { accounts[key]?.refusal = nil } }

    /// Forgets the tokens of modules that are configured no longer, but for what keeps a PIN from being sent again.
    mutating func forgetTokens(outside modules: Set<ModuleIdentity>) {
        accounts = accounts.filter { modules.contains($0.key.module) || !$0.value.isEmpty }
    }

    // MARK: Tries

    /// The tries could not be written: they are given out again.
    mutating func noteUnsavedTries() { hasUnsavedTries = true }

    /// What has to be written down, where it has changed since this was asked last.
    mutating func takeUnsavedTries() -> Tries? {
        guard hasUnsavedTries else { return nil }
        hasUnsavedTries = false
        return Tries(
            refused: accounts.mapValues(\.refused).filter { !$0.value.isEmpty },
            unanswered: Set(accounts.filter(\.value.isDoubtful).keys), areUnknown: unlockedSinceUnknown != nil)
    }

    /// A module has shown the token with these flags.
    mutating func noteSeen(_ key: TokenKey, _ flags: TokenFlags) {
        if flags.showCount, accounts[key]?.showsCount != true { accounts[key, default: Account()].showsCount = true }
        if !flags.contains(.userPINLocked), accounts[key]?.refusal == .blocked(byFlags: true) {
            accounts[key]?.refusal = nil  // the vendor's tool has unblocked it
        }
    }

    func isBlocked(_ key: TokenKey) -> Bool { accounts[key]?.refusal?.isBlocked == true }

    /// Whether the token's flags leave open how many tries are left: PKCS#11 lets a token keep its count to itself, and
    /// this one has shown none although it may have counted a PIN.
    func hidesCount(_ key: TokenKey) -> Bool {
        guard accounts[key]?.showsCount != true else { return false }
        return owesAnswer(key) || !refusedPINs(of: key).isEmpty || accounts[key]?.refusal?.isOfToken == true
    }

    /// Whether a PIN was sent to the token that was not judged, as far as anybody knows.
    func owesAnswer(_ key: TokenKey) -> Bool {
        same(key).contains(where: \.owesAnswer) || mayOweUnknown(key)
    }

    private func mayOweUnknown(_ key: TokenKey) -> Bool { unlockedSinceUnknown?.contains(key.token) == false }

    private func same(_ key: TokenKey) -> [Account] {
        accounts.filter { $0.key.token == key.token }.map(\.value)
    }

    private func isTaken(_ origin: PINOrigin, by key: TokenKey) -> Bool {
        if case .stored(let stamp?) = origin { stamp == accounts[key]?.takenPIN } else { false }
    }

    /// Whether what a PIN may cost can still be kept. A module that shows thousands of tokens must not push out what is kept
    /// of the others'; its own get no PIN then, rather than one that is not known again.
    private func hasRoomForTries(of key: TokenKey) -> Bool {
        let kept = accounts.filter { $0.key.module.path == key.module.path && $0.key != key }.values
        return kept.reduce(0) { $0 + $1.refused.count + ($1.isDoubtful ? 1 : 0) } < Self.mostKeptOfModule
    }

    private mutating func expectAnswer(from key: TokenKey) {
        accounts[key, default: Account()].unansweredCalls += 1
        hasUnsavedTries = true
    }

    /// The end of a call that may have sent a PIN, whatever a person has forgiven meanwhile.
    private mutating func noteTry(_ answer: Result<LoginOutcome, ModuleFailure>, _ sending: Sending, at now: Int64) {
        if sending.isKnown { return noteRepeat(answer, sending, at: now) }
        accounts[sending.key]?.unansweredCalls -= 1
        if answer.leavesPINInDoubt { accounts[sending.key]?.owesAnswer = true }
        hasUnsavedTries = true
    }

    /// A stored PIN that the token had taken before is sent once more where nothing has judged it, and the next call counts
    /// as any other. A crash was perhaps the signature's, before which there is a login: it is not counted, so that a module
    /// that dies now and then needs no person.
    private mutating func noteRepeat(_ answer: Result<LoginOutcome, ModuleFailure>, _ sending: Sending, at now: Int64) {
        guard answer.leavesPINInDoubt else { return }
        var isUnanswered = true  // an unknown code would come again
        if case .failure(let failure) = answer {
            // A worker that is killed from outside says nothing of the module and the PIN.
            if failure.isKill { return }
            isUnanswered = !sending.isSignature && accounts[sending.key]?.unjudgedRepeats.note(at: now) == false
        }
        accounts[sending.key]?.takenPIN = nil
        guard isUnanswered else { return }
        accounts[sending.key]?.owesAnswer = true
        hasUnsavedTries = true
    }

    private mutating func forgetRefused(_ key: TokenKey) {
        guard !refusedPINs(of: key).isEmpty else { return }
        for other in accounts.keys where other.token == key.token { accounts[other]?.refused = [] }
        hasUnsavedTries = true
    }

    /// A person has looked at the token.
    private mutating func forgive(_ key: TokenKey) {
        guard owesAnswer(key) else { return }
        for other in accounts.keys where other.token == key.token { accounts[other]?.owesAnswer = false }
        unlockedSinceUnknown?.insert(key.token)
        hasUnsavedTries = true
    }
}

extension LoginRefusal {
    /// What the next prompt says of a PIN that was not sent.
    fileprivate var afterwards: String? {
        switch self {
        case .knownWrong: "The last PIN was not sent: the token has refused it before."
        case .length(let shortest, let longest):
            "The last PIN was not sent: the token takes \(shortest) to \(longest) characters."
        case .reserved: "The last PIN was not sent: modules take that word for a command."
        case .controlByte: "The last PIN was not sent: it had a control character in it."
        default: nil
        }
    }
}

extension Result<LoginOutcome, ModuleFailure> {
    fileprivate var mayHaveSentPIN: Bool {
        switch self {
        case .success(.loggedIn), .success(.rejected): true
        case .success(.notNeeded), .success(.refused), .failure: leavesPINInDoubt
        }
    }

    /// Whether the PIN may have cost a try without having been judged.
    var leavesPINInDoubt: Bool {
        switch self {
        case .failure(.lost(let loss)): loss.wasSent
        case .failure(.refused(let failure)): failure.leavesPINInDoubt
        case .success(let outcome): outcome.leavesPINInDoubt
        case .failure: false
        }
    }
}

extension ModuleFailure {
    fileprivate var isKill: Bool {
        if case .lost(let loss) = self { loss.cause == .killed } else { false }
    }
}
