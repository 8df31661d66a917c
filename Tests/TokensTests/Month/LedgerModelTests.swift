import PKCS11URI
import Testing
import TokenService

@testable import Tokens

@Suite("The ledger in any order of events")
struct LedgerModelTests {
    @Test("No rule for PINs and locks is broken, whatever is asked, answered, locked and restarted in which order")
    func model() {
        var sent = 0
        var refused = 0
        for seed in 1...10_000 as ClosedRange<UInt64> {
            var run = LedgerRun(seed: seed)
            run.live()
            sent += run.sent
            refused += run.refused
            guard let rule = run.broken else { continue }
            run = LedgerRun(seed: seed, diary: [])
            run.live()
            Issue.record("seed \(seed): \(rule)\n\(run.diary?.joined(separator: "\n") ?? "")")
            return
        }
        #expect(sent > 25_000 && refused > 8000, "only \(sent) PINs were sent and \(refused) refused")
    }
}

/// One ledger, and a witness that keeps the rules of the contract in the plainest way: what is true of each token and card.
private struct LedgerRun {
    /// A card that two modules show, and another one.
    private static let keys = [("/m", "card"), ("/n", "card"), ("/m", "other")].map { path, label in
        TokenKey(
            module: ModuleIdentity(path: path),
            token: TokenDescription(label: Array(label.utf8), manufacturer: [], model: [], serial: []))
    }
    /// Files that are there, in the place of PIN files.
    private static let stamps = ["/", "/usr"].map { StoredPINStamp(.file(path: $0)) } + [nil]
    private static let answers: [Result<LoginOutcome, ModuleFailure>] = [
        .success(.loggedIn), .success(.loggedIn), .success(.loggedIn), .success(.loggedIn), .success(.notNeeded),
        .success(.refused(.countLow)), .success(.refused(.locked)),
        .success(.rejected(returnValue: 0xA0, name: "", failed: FailedPIN.some(1))),
        .success(.rejected(returnValue: 0xA0, name: "", failed: FailedPIN.some(2))),
        .success(.rejected(returnValue: 0xA4, name: "", failed: nil)),
        .success(.rejected(returnValue: 0x8000_0001, name: "", failed: nil)),
        .failure(.lost(WorkerLoss(cause: .ended("it crashed")))), .failure(.lost(WorkerLoss(cause: .killed))),
        .failure(.lost(.revoked)),
    ]

    private struct Card {
        /// Answers that are missing, by the token, and whether a keypad has asked for the PIN.
        var missing: [TokenKey: (moment: Locks.Moment, isToKeypad: Bool)] = [:]
        var refused: Set<FailedPIN> = []
        var misses = 0
        var lastSent = Int64.min / 2
        var isUnlocking = false
    }

    private struct Token {
        var isLockedByPerson = false
        var isLockedByEvent = false
        var locked: Locks.Moment?
        var unlocked: Locks.Moment?
        var taken: StoredPINStamp?
        var unjudged: [Int64] = []
        var loginEnds: Int64?
        var signaturesLeft: Int?
        /// It is to be logged out of after the one signature of a typed PIN.
        var isEnding = false
        var hasRefusal = false
        var isBlocked = false
    }

    private struct Unlock {
        let key: TokenKey
        let unlocking: Locks.Unlocking
        let asked: Locks.Moment
        let before: Token
    }

    private var dice: SeededDice
    private var ledger = TokenLedger()
    private var now: Int64 = 0
    private var calls: [PINTries.Sending] = []
    private var unlocks: [Unlock] = []
    private var asked: [Locks.Moment] = [Locks.Moment()]
    private var events: Set<LockEvent> = []
    private var cards: [TokenDescription: Card] = [:]
    private var tokens: [TokenKey: Token] = [:]
    private(set) var broken: String?
    private(set) var diary: [String]?
    private(set) var sent = 0
    private(set) var refused = 0

    init(seed: UInt64, diary: [String]? = nil) {
        self.diary = diary
        dice = SeededDice(seed: seed)
        for key in Self.keys {
            tokens[key] = Token()
            cards[key.token] = Card()
        }
    }

    mutating func live() {
        for _ in 0..<60 where broken == nil { step() }
    }

    private mutating func expect(_ isTrue: Bool, _ rule: String) { if !isTrue, broken == nil { broken = rule } }

    private func isLocked(_ key: TokenKey) -> Bool {
        tokens[key]?.isLockedByPerson == true || tokens[key]?.isLockedByEvent == true
    }

    private func owesAnswer(_ key: TokenKey) -> Bool { cards[key.token]?.missing.isEmpty == false }

    private func isAwaited(_ key: TokenKey) -> Bool { calls.contains { !$0.isKnown && $0.key.token == key.token } }

    private func isKnown(_ origin: PINTries.Origin, of key: TokenKey) -> Bool {
        if case .stored(let stamp?) = origin { tokens[key]?.taken == stamp } else { false }
    }

    private mutating func origin() -> PINTries.Origin {
        switch dice.roll(0...6) {
        case 0, 1: .typed
        case 2: .keypad
        default: .stored(dice.one(of: Self.stamps))
        }
    }

    private mutating func step() {
        let key = dice.one(of: Self.keys)
        if tokens[key]?.isEnding == true, dice.happens(500) {
            ledger.noteSignatureOver(key)
            tokens[key]?.isEnding = false
        }
        let kind = dice.roll(0...99)
        if diary != nil {
            let line = "\(now) \(kind) \(String(decoding: key.token.label, as: UTF8.self)) of \(key.module.path)"
            diary?.append(line)
        }
        switch kind {
        case 0...24: logIn(key)
        case 25...49: if !calls.isEmpty { answer(calls.remove(at: Int(dice.roll(0...Int64(calls.count - 1))))) }
        case 50...57: sign(key)
        case 58...68: beginUnlock(key)
        case 69...77: if !unlocks.isEmpty { endUnlock(unlocks.removeFirst()) }
        case 78...80: lock(key)
        case 81: lockAll()
        case 82...84: event()
        case 85...87: ask(key)
        case 88: restart()
        case 89: reload()
        case 90: asked.append(Locks.Moment())
        default: now += dice.roll(0...1) == 0 ? dice.roll(0...3000) : dice.roll(0...400_000)
        }
        judge()
    }

    /// What holds at every moment.
    private mutating func judge() {
        for key in Self.keys {
            let token = tokens[key]
            expect(ledger.isLocked(key) == isLocked(key), "a token is locked that nobody locks, or the other way round")
            expect(
                ledger.tries.owesAnswer(key) == owesAnswer(key), "an answer that is missing is not owed, or owed twice")
            expect(ledger.loginEnds(key) == token?.loginEnds, "a typed PIN has another end")
            expect(
                cards[key.token]?.refused.isSubset(of: ledger.tries.refused(by: key)) == true,
                "a refused PIN is forgotten")
        }
    }

    // MARK: PINs

    private mutating func logIn(_ key: TokenKey) {
        let origin = origin()
        let (isKnown, card) = (isKnown(origin, of: key), cards[key.token] ?? Card())
        let rest: Int64 = card.misses == 0 ? 100 : min(10_000, 1000 << Int64(min(card.misses, 4)))
        let isEnding = tokens[key]?.isEnding == true
        let mayFollow = !isEnding && (isKnown || !isAwaited(key) && now >= card.lastSent + rest)
        if diary != nil {
            let line = "   \(origin)"
            diary?.append(line)
        }
        switch ledger.decide(origin, to: key, at: now) {
        case .refuse(.locked): expect(isLocked(key), "a token that is not locked is refused as locked")
        case .refuse(.unanswered): expect(owesAnswer(key), "a token that owes no answer is refused for one")
        case .refuse: expect(false, "there is no other reason")
        case .wait: expect(!mayFollow, "a PIN waits for nothing")
        case .send(let sending):
            sent += 1
            expect(!isLocked(key), "a PIN is sent to a locked token")
            expect(!owesAnswer(key), "a PIN is sent to a card that owes an answer")
            expect(!isEnding, "a PIN is sent before the logout that would end its login")
            expect(mayFollow, "a PIN follows another too soon")
            expect(sending.isKnown == isKnown, "a PIN is known that the token has not taken, or new that it has")
            calls.append(sending)
        }
    }

    private mutating func answer(_ sending: PINTries.Sending) {
        let key = sending.key
        let answer = dice.one(of: Self.answers)
        let hasStoredPIN = dice.happens(500)
        let lifetime = Int(dice.one(of: [0, 1, 60]))
        if diary != nil {
            let line = "   \(sending.origin), known \(sending.isKnown), signature \(sending.isSignature): \(answer)"
            diary?.append(line)
        }
        if sending.isSignature {
            let login = answer == .success(.loggedIn) ? .success(.notNeeded) : answer
            ledger.noteSignature(login, sending, on: key, at: now)
            return witness(login, sending)
        }
        let result = ledger.note(answer, to: sending, lifetime: lifetime, hasStoredPIN: hasStoredPIN, at: now)
        let isIn = answer == .success(.loggedIn) || answer == .success(.notNeeded)
        expect(((try? result.get()) != nil) == isIn, "an answer means something else")
        witness(answer, sending)
        guard answer == .success(.loggedIn) else { return }
        cards[key.token]?.misses = 0
        if !sending.origin.isTyped || !hasStoredPIN { cards[key.token]?.refused = [] }
        tokens[key]?.hasRefusal = false
        tokens[key]?.isBlocked = false
        forgetTyped(key)
        if case .stored(let stamp) = sending.origin {
            tokens[key]?.taken = stamp
        } else if lifetime == 0 {
            tokens[key]?.signaturesLeft = 1
        } else {
            tokens[key]?.loginEnds = now + Int64(lifetime) * 1000
        }
    }

    private mutating func witness(_ answer: Result<LoginOutcome, ModuleFailure>, _ sending: PINTries.Sending) {
        let key = sending.key
        var isInDoubt = false
        var mayHaveCost = answer == .success(.loggedIn)
        switch answer {
        case .success(.rejected(let code, _, let pin, _)):
            refused += 1
            mayHaveCost = true
            isInDoubt = pin == nil
            tokens[key]?.taken = nil
            tokens[key]?.hasRefusal = true
            tokens[key]?.isBlocked = code == 0xA4
            if let pin { cards[key.token]?.refused.insert(pin) }
        case .success(.refused(.locked)):
            tokens[key]?.hasRefusal = true
            tokens[key]?.isBlocked = true
        case .failure(.lost(let loss)) where loss.wasSent && !(sending.isKnown && loss.cause == .killed):
            mayHaveCost = true
            isInDoubt = true
        case .failure(.lost(let loss)): mayHaveCost = loss.wasSent
        default: break
        }
        if mayHaveCost, !sending.isSignature {
            cards[key.token]?.lastSent = now
            cards[key.token]?.misses += 1
        }
        guard isInDoubt else { return }
        if sending.isKnown {
            tokens[key]?.taken = nil
            if case .failure = answer {
                if sending.isSignature { return }
                // A right PIN that is cut short costs no try: three in an hour need no person.
                let unjudged = (tokens[key]?.unjudged ?? []).filter { now - $0 < 3_600_000 } + [now]
                tokens[key]?.unjudged = unjudged
                if unjudged.count <= 3 { return }
            }
        }
        cards[key.token]?.missing[key] = (Locks.Moment(), sending.origin == .keypad)
    }

    private mutating func sign(_ key: TokenKey) {
        let left = tokens[key]?.signaturesLeft
        switch ledger.takeSignature(key) {
        case .failure(.locked): return expect(isLocked(key), "a token that is not locked is refused as locked")
        case .failure: return expect(left == 0, "a signature is refused")
        case .success(let isLast):
            expect(!isLocked(key) && left != 0, "a signature is made that is not allowed")
            expect(isLast == (left == 1), "the only signature is not known as such")
            if isLast {
                tokens[key]?.signaturesLeft = 0
                tokens[key]?.isEnding = true
            }
        }
        let stamp = dice.one(of: Self.stamps)
        let isKnown = isKnown(.stored(stamp), of: key)
        let mustWait = !isKnown && isAwaited(key)
        expect(ledger.mustWait(with: stamp, on: key) == mustWait, "a signature sends the card a second PIN")
        let refusal = ledger.refusalToSign(key)
        expect((refusal != nil) == (owesAnswer(key) || tokens[key]?.hasRefusal == true), "a refusal does not stand")
        guard !mustWait, refusal == nil else { return }
        calls.append(ledger.expectSignature(with: stamp, on: key))
    }

    private mutating func ask(_ key: TokenKey) {
        let isExplicit = dice.happens(300)
        let isOwed = owesAnswer(key)
        let failure = ledger.decideToAsk(for: key, isExplicit: isExplicit)
        let expected: LoginFailure? = isLocked(key) ? .locked : isOwed && !isExplicit ? .unanswered : nil
        expect(failure == expected, "a person is asked, or not, for no reason")
        if failure == nil { cards[key.token]?.missing = [:] }
    }

    // MARK: Locks

    private mutating func beginUnlock(_ key: TokenKey) {
        guard cards[key.token]?.isUnlocking == false, let token = tokens[key] else { return }
        let moment = dice.happens(700) ? Locks.Moment() : dice.one(of: asked)
        let origin: PINTries.Origin = dice.happens(200) ? .handedOver : origin()
        let card = cards[key.token] ?? Card()
        let isCounted =
            owesAnswer(key) || isAwaited(key) || !card.refused.isEmpty
            || Self.keys.contains { $0.token == key.token && tokens[$0]?.isBlocked == true }
        let isMissing = card.missing.values.contains { $0.moment > moment && !($0.isToKeypad && origin.isTyped) }
        let failure = ledger.beginUnlock(key, origin, asOf: moment)
        if token.locked.map({ $0 > moment }) ?? false {
            return expect(failure == .locked, "an unlock is stronger than a lock after it")
        }
        if origin == .handedOver, isCounted {
            return expect(failure == .notFromLogin, "a PIN of a login may cost a second try")
        }
        if isMissing { return expect(failure == .unanswered, "a PIN without an answer may be sent again") }
        guard failure == nil else {
            // It may be for a refusal that was forgotten with its PIN.
            let mayBeOld = origin == .handedOver && failure == .notFromLogin
            return expect(mayBeOld, "an unlock fails for no reason")
        }
        cards[key.token]?.missing = [:]
        cards[key.token]?.isUnlocking = true
        tokens[key]?.isLockedByPerson = false
        tokens[key]?.isLockedByEvent = false
        tokens[key]?.hasRefusal = false
        tokens[key]?.isBlocked = false
        unlocks.append(
            Unlock(
                key: key, unlocking: ledger.changeLocks { $0.beginUnlock(key, asOf: moment) }, asked: moment,
                before: token))
    }

    private mutating func endUnlock(_ unlock: Unlock) {
        let (key, hasWorked) = (unlock.key, dice.happens(500))
        ledger.changeLocks { $0.endUnlock(unlock.unlocking, hasWorked: hasWorked) }
        cards[key.token]?.isUnlocking = false
        guard !hasWorked else {
            tokens[key]?.unlocked = unlock.asked
            return
        }
        let wasLocked = isLocked(key)
        if unlock.before.isLockedByPerson { tokens[key]?.isLockedByPerson = true }
        if unlock.before.isLockedByEvent, !events.isEmpty { tokens[key]?.isLockedByEvent = true }
        if !wasLocked, isLocked(key) { forgetTyped(key) }
    }

    private mutating func lock(_ key: TokenKey) {
        let moment = dice.happens(700) ? Locks.Moment() : dice.one(of: asked)
        let isUnlockedSince = tokens[key]?.unlocked.map { $0 > moment } ?? false
        let locked = ledger.changeLocks { $0.lock([key], asOf: moment) }
        expect(
            locked == (isUnlockedSince ? [] : [key]), "a lock leaves out a token, or locks one that was unlocked since")
        guard !isUnlockedSince else { return }
        lockNow(key)
        tokens[key]?.isLockedByPerson = true
    }

    private mutating func lockAll() {
        ledger.changeLocks { $0.lockAll() }
        for key in Self.keys {
            lockNow(key)
            tokens[key]?.isLockedByPerson = true
        }
    }

    private mutating func event() {
        let event = dice.one(of: [LockEvent.suspend, .screenLock])
        if dice.happens(500) {
            let isNew = events.insert(event).inserted
            let hasBegun = ledger.changeLocks { $0.begin(event) }
            expect(hasBegun == isNew, "an event begins twice")
            for key in Self.keys where isNew {
                lockNow(key)
                tokens[key]?.isLockedByEvent = true
            }
        } else {
            let isLast = events.remove(event) != nil && events.isEmpty
            let hasEnded = ledger.changeLocks { $0.end(event) }
            expect(hasEnded == isLast, "an event ends that does not last")
            for key in Self.keys where isLast { tokens[key]?.isLockedByEvent = false }
        }
    }

    private mutating func lockNow(_ key: TokenKey) {
        tokens[key]?.locked = Locks.Moment()
        if !isLocked(key) { forgetTyped(key) }
    }

    private mutating func forgetTyped(_ key: TokenKey) {
        tokens[key]?.isEnding = false
        tokens[key]?.loginEnds = nil
        tokens[key]?.signaturesLeft = nil
    }

    // MARK: Reloads and restarts

    private mutating func reload() {
        ledger.forgetRefusals()
        for key in Self.keys {
            tokens[key]?.hasRefusal = false
            tokens[key]?.isBlocked = false
        }
    }

    /// Another agent begins with what this one has written: a call under way owes its answer, an unlock under way has not
    /// worked, and events are over.
    private mutating func restart() {
        ledger.noteUnsavedTries()
        let record = ledger.takeUnsavedTries() ?? .init()
        ledger = TokenLedger(locks: ledger.locks.lasting, tries: PINTries.Record(.bytes(record.bytes)))
        for call in calls where !call.isKnown { cards[call.key.token]?.missing[call.key] = (Locks.Moment(), false) }
        for unlock in unlocks where unlock.before.isLockedByPerson { tokens[unlock.key]?.isLockedByPerson = true }
        for key in Self.keys {
            tokens[key] = Token(isLockedByPerson: tokens[key]?.isLockedByPerson == true)
            cards[key.token]?.misses = 0
            cards[key.token]?.lastSent = .min / 2
            cards[key.token]?.isUnlocking = false
        }
        (calls, unlocks, events) = ([], [], [])
        asked = [Locks.Moment()]
    }
}

extension FailedPIN {
    fileprivate static func some(_ byte: UInt8) -> FailedPIN? {
        FailedPIN(
            salt: .init(repeating: byte, count: saltLength), hash: .init(repeating: byte, count: hashLength))
    }
}
