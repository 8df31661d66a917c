import Files
import PKCS11URI
import TokenService

/// The tries that PINs have cost cards, or may have: decides which PIN is new to a card, and when it may be sent.
///
/// Two modules may show one card, so a decision looks at every token of the same description.
struct PINTries: Sendable {
    /// Where the PIN of a login comes from.
    enum Origin: Hashable, Sendable {
        /// A person has typed it for this token.
        case typed
        /// A login of the user has handed it over: it was not typed for this token.
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
        let origin: Origin
        /// The token has taken this stored PIN before: it costs no try unless it was changed on the token since.
        let isKnown: Bool
        /// A signature sends it, to a key that wants a PIN each time.
        let isSignature: Bool
    }

    /// What has to outlive a restart of the agent.
    struct Record: Hashable, Sendable {
        /// PINs that tokens have refused.
        var refused: [TokenKey: [FailedPIN]] = [:]
        /// Tokens that were sent a PIN that may be wrong, and whose answer is not known.
        var unanswered: Set<TokenKey> = []
        /// There may be more that could not be read: every token is taken for one of those but these, which a person has
        /// unlocked since. Nil where all are known.
        var unlockedSinceUnknown: Set<TokenKey>?
    }

    private struct MissingAnswer: Sendable {
        /// When it became known that it is missing.
        var known = Locks.Moment()
        var isToKeypad = false
    }

    /// What is remembered of a token as one module shows it.
    private struct Account: Sendable {
        /// PINs that the token has refused: never sent again.
        var refused: [FailedPIN] = []
        /// A PIN that may be wrong was sent, and its answer is not known: it may have cost a try. Until a person unlocks the
        /// token it is sent no other.
        var missingAnswer: MissingAnswer?
        /// Calls under way that may send a PIN that may be wrong.
        var calls = 0
        /// The stored PIN that the token has taken in this agent's life: a login that a crash cuts short costs it no try.
        var takenPIN: StoredPINStamp?
        var unjudgedRepeats = UnjudgedRepeats()

        var isDoubtful: Bool { missingAnswer != nil || calls > 0 }
        var isKept: Bool { !refused.isEmpty || isDoubtful }
    }

    private var accounts: [TokenKey: Account] = [:]
    private var pace = LoginPace()
    /// See `Record`.
    private var unlockedSinceUnknown: Set<TokenKey>?
    /// The record has changed since `takeUnsaved`.
    private var isUnsaved = false

    /// The most refused PINs and missing answers that are kept of one module's tokens.
    private static let mostKeptOfModule = 256

    init(_ record: Record = Record()) {
        for (key, pins) in record.refused { accounts[key, default: Account()].refused = pins }
        for key in record.unanswered { accounts[key, default: Account()].missingAnswer = MissingAnswer() }
        unlockedSinceUnknown = record.unlockedSinceUnknown
    }

    /// Every token of which something is remembered.
    var keys: Set<TokenKey> { Set(accounts.keys) }

    private func accounts(ofCard key: TokenKey) -> some Sequence<Account> {
        accounts.lazy.filter { $0.key.token == key.token }.map(\.value)
    }

    // MARK: Before a PIN is sent

    /// What the card has refused: no PIN of these is sent again.
    func refused(by key: TokenKey) -> [FailedPIN] { accounts(ofCard: key).flatMap(\.refused) }

    /// Whether a PIN was sent to the card that was not judged, as far as is known.
    func owesAnswer(_ key: TokenKey) -> Bool {
        accounts(ofCard: key).contains { $0.missingAnswer != nil } || mayOweUnknownAnswer(key)
    }

    /// Whether a PIN of this origin may be one that has got no answer since this moment. A typed one is not held against
    /// digits on a keypad, which no program has seen.
    func mayRepeat(_ origin: Origin, to key: TokenKey, since moment: Locks.Moment) -> Bool {
        accounts(ofCard: key).contains {
            $0.missingAnswer.map { $0.known > moment && !($0.isToKeypad && origin.isTyped) } ?? false
        }
    }

    /// Whether the card may have counted a PIN: it has refused one, or has not answered yet.
    func mayHaveCounted(_ key: TokenKey) -> Bool {
        accounts(ofCard: key).contains(where: \.isKept) || mayOweUnknownAnswer(key)
    }

    private func mayOweUnknownAnswer(_ key: TokenKey) -> Bool {
        unlockedSinceUnknown?.contains { $0.token == key.token } == false
    }

    /// Whether a call is under way that sends the card a PIN that may be wrong.
    func awaitsAnswer(from key: TokenKey) -> Bool { accounts(ofCard: key).contains { $0.calls > 0 } }

    /// How long the card is not to be sent another PIN, in milliseconds.
    func rest(of key: TokenKey, at now: Int64) -> Int64 { pace.rest(for: key.token, at: now) }

    /// Whether the token has taken this stored PIN before.
    func knows(_ origin: Origin, of key: TokenKey) -> Bool {
        if case .stored(let stamp?) = origin { stamp == accounts[key]?.takenPIN } else { false }
    }

    /// Whether what a PIN may cost can still be kept. A module that shows thousands of tokens must not push out what is kept
    /// of the others'; its own get no PIN then, rather than one that is not known again.
    func hasRoom(for key: TokenKey) -> Bool {
        let kept = accounts.filter { $0.key.module.path == key.module.path && $0.key != key }.values
        return kept.reduce(0) { $0 + $1.refused.count + ($1.isDoubtful ? 1 : 0) } < Self.mostKeptOfModule
    }

    /// A PIN is about to be sent: on record before the call, because a module that crashes in C_Login takes the answer with
    /// it.
    mutating func expectAnswer(to origin: Origin, from key: TokenKey, isSignature: Bool = false) -> Sending {
        let sending = Sending(key: key, origin: origin, isKnown: knows(origin, of: key), isSignature: isSignature)
        if !sending.isKnown {
            accounts[key, default: Account()].calls += 1
            isUnsaved = true
        }
        return sending
    }

    // MARK: After it

    /// The end of a call that may have sent a PIN, whatever a person has forgiven meanwhile.
    mutating func note(_ answer: Result<LoginOutcome, ModuleFailure>, to sending: Sending, at now: Int64) {
        if !sending.isSignature, answer.mayHaveSentPIN {
            pace.note(sending.key.token, isTaken: answer == .success(.loggedIn), at: now)
        }
        if sending.isKnown { return noteRepeat(answer, sending, at: now) }
        accounts[sending.key]?.calls -= 1
        if answer.leavesPINInDoubt { noteMissingAnswer(to: sending) }
        isUnsaved = true
    }

    private mutating func noteMissingAnswer(to sending: Sending) {
        accounts[sending.key]?.missingAnswer = MissingAnswer(isToKeypad: sending.origin == .keypad)
        isUnsaved = true
    }

    /// A stored PIN that the token had taken before is sent once more where it was not judged, and the next call counts as
    /// any other. A crash was perhaps the signature's, before which there is a login: it is not counted, so that a module
    /// that dies now and then needs no person.
    private mutating func noteRepeat(_ answer: Result<LoginOutcome, ModuleFailure>, _ sending: Sending, at now: Int64) {
        guard answer.leavesPINInDoubt else { return }
        var isUnanswered = true  // an unknown code would come again
        if case .failure(let failure) = answer {
            // A worker that is killed from outside says nothing of the module and the PIN.
            if case .lost(let loss) = failure, loss.cause == .killed { return }
            isUnanswered = !sending.isSignature && accounts[sending.key]?.unjudgedRepeats.note(at: now) == false
        }
        accounts[sending.key]?.takenPIN = nil
        if isUnanswered { noteMissingAnswer(to: sending) }
    }

    /// The token has taken the PIN.
    ///
    /// - Parameter isForAll: The login also says that the PINs refused before may be right by now.
    mutating func noteTaken(_ origin: Origin, by key: TokenKey, isForAll: Bool) {
        if case .stored(let stamp) = origin { accounts[key, default: Account()].takenPIN = stamp }
        guard isForAll, !refused(by: key).isEmpty else { return }
        for other in accounts.keys where other.token == key.token { accounts[other]?.refused = [] }
        isUnsaved = true
    }

    /// - Parameter pin: Nil where the code says nothing of the PIN.
    mutating func noteRefused(_ pin: FailedPIN?, by key: TokenKey) {
        accounts[key]?.takenPIN = nil
        guard let pin else { return }
        let others = accounts[key]?.refused.filter { $0 != pin } ?? []
        accounts[key, default: Account()].refused = (others + [pin]).suffix(FailedPIN.mostOfToken)
        isUnsaved = true
    }

    /// A person has looked at the card.
    mutating func forgive(_ key: TokenKey) {
        guard owesAnswer(key) else { return }
        for other in accounts.keys where other.token == key.token { accounts[other]?.missingAnswer = nil }
        unlockedSinceUnknown?.insert(key.written)
        isUnsaved = true
    }

    /// Forgets the tokens of other modules, but for what keeps a PIN from being sent again.
    mutating func keep(only modules: Set<ModuleIdentity>) {
        accounts = accounts.filter { modules.contains($0.key.module) || $0.value.isKept }
    }

    // MARK: The record

    /// The record could not be written: it is given out again.
    mutating func noteUnsaved() { isUnsaved = true }

    /// What has to be written down, where it has changed since this was asked last.
    mutating func takeUnsaved() -> Record? {
        guard isUnsaved else { return nil }
        isUnsaved = false
        return Record(
            refused: accounts.mapValues(\.refused).filter { !$0.value.isEmpty },
            unanswered: Set(accounts.filter(\.value.isDoubtful).keys), unlockedSinceUnknown: unlockedSinceUnknown)
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

/// Which file a stored PIN came from, and in which state: another state may hold another PIN.
struct StoredPINStamp: Hashable, Sendable {
    private let path: String
    private let stamp: FileStamp

    /// - Returns: Nil where the PIN is in no file, or the file cannot be looked at: no PIN is known then.
    init?(_ source: LoginRequest.Source) {
        guard let path = source.file, let stamp = FileStamp(path) else { return nil }
        self.path = path
        self.stamp = stamp
    }
}
