import TokenService

/// What the cards have seen, held against the rules for PINs. Nothing here asks the agent what it thinks.
///
/// A wrong PIN once, ever (contract.md, security.md P3 and P9, `RefusedPINs`, `Tokens+Tries`), said exactly:
/// - An act, which is one typing or one state of a PIN file, costs at most one try; but one more each time that a person
///   asks for the stored PIN by name after it got no answer, and one more where the token had taken it in this agent's
///   life and has not judged it since.
/// - A PIN that the card has refused, and the agent was told so, is not sent again, whoever types it, until the agent
///   has logged in to the card: with the stored PIN where there is one, because a typed one says nothing for it.
/// - A PIN that got no answer is sent again only if a person types it, or asks for it by name, after the answer failed.
/// - One that a login handed over is not sent where an earlier PIN was refused, or got no answer, and no person has
///   unlocked the card since.
final class CardWitness: @unchecked Sendable {  // used by one thread
    private(set) var violations: [Violation] = []
    private(set) var logins = 0
    private(set) var wrongPINs = 0
    private(set) var signatures = 0
    private var attempts: [Int: [Attempt]] = [:]
    private var locks: [LockSpan] = []
    private var unlocks: [UnlockSpan] = []
    private var stamp = 0
    private var words: [Int: [Int]] = [:]

    enum Rule: String, Hashable, Sendable {
        case secondTry = "an act cost a second try"
        case refusedAgain = "a PIN that was refused was sent again"
        case unansweredAgain = "a PIN without an answer was sent again"
        case handover = "a PIN that a login handed over was sent after a wrong one"
        case lastTry = "the last try was spent although the card's flags told of it"
        case otherCard = "a PIN was sent to another card"
        case loginWhileLocked = "a PIN was sent while the token was locked"
        case loginOutlivesLock = "a login has outlived a lock"
        case signatureAfterEnd = "a signature was made after the PIN's end"
        case secondSignature = "a PIN for one signature made two"
        case removal = "a removal was told of a card that a newer look had shown"
        case hangs = "a request did not end"
        case spins = "the agent did not come to rest"
    }

    struct Violation: Sendable {
        var rule: Rule
        var text: String
    }

    /// One C_Login that a card has seen.
    final class Attempt {
        let act: PINAct
        let life: Int
        let began: Int
        let isRight: Bool
        /// It is for one operation of a key that wants its PIN each time.
        let isContext: Bool
        /// The PIN that the card took in this agent's life, from the same file in the same state.
        let wasTaken: Bool
        /// The card's PIN is stored, by the rule in force.
        let hasStoredRule: Bool
        /// When the agent was told what the card made of it, in the order of all that happened; nil: never.
        var judged: Int?
        /// When it was over, whatever came of it.
        var ended: Int?

        init(
            act: PINAct, life: Int, began: Int, isRight: Bool, isContext: Bool, wasTaken: Bool, hasStoredRule: Bool
        ) {
            self.hasStoredRule = hasStoredRule
            self.isContext = isContext
            self.act = act
            self.life = life
            self.began = began
            self.isRight = isRight
            self.wasTaken = wasTaken
        }
    }

    /// The next number in the order of all that happens.
    func tick() -> Int {
        stamp += 1
        return stamp
    }

    /// What happened, where somebody wants to read it.
    var diary: [String]?

    func write(_ line: @autoclosure () -> String) { if diary != nil { diary?.append(line()) } }

    func violate(_ rule: Rule, _ text: String) {
        violations.append(Violation(rule: rule, text: text))
        write("*** \(rule.rawValue): \(text)")
    }

    // MARK: Logins

    /// A worker is about to send a PIN.
    ///
    /// - Parameters:
    ///   - isContext: For the key's one operation, with a PIN that the card has taken for the login.
    ///   - asked: When the worker was asked for it, in the order of all that happened: what the agent has learned since,
    ///     through another module, it can tell nobody.
    func send(
        _ act: PINAct, to card: ScriptedCard, on module: String, by life: Int, isContext: Bool, hasStoredRule: Bool,
        asked: Int, at time: Int64
    ) -> Attempt {
        let now = tick()
        logins += 1
        let isRight = act.pin == card.pin
        let earlier = attempts[card.number] ?? []
        let isTaken = earlier.contains { $0.act === act && $0.isRight && $0.life == life && $0.judged != nil }
        let attempt = Attempt(
            act: act, life: life, began: now, isRight: isRight, isContext: isContext, wasTaken: isTaken,
            hasStoredRule: hasStoredRule)
        attempts[card.number, default: []].append(attempt)
        let name = "\(act.kind) \(String(decoding: act.pin, as: UTF8.self)) to card \(card.number) at \(time)"
        write("\(time) C_Login \(name) on \(module), \(isRight ? "right" : "wrong"), tries \(card.triesLeft)")
        if act.card != card.number { violate(.otherCard, name) }
        if let lock = lock(on: Key(module: module, card: card.number)) {
            violate(.loginWhileLocked, "\(name), locked at \(lock.time)")
        }
        if card.showsCount, card.triesLeft == 1 { violate(.lastTry, name) }
        guard act.kind != .keypad else { return attempt }
        let past = earlier.suffix(from: firstThatCounts(in: earlier, for: act))
        let misses = past.filter { !$0.isRight && $0.act.kind != .keypad }  // whose digits no program has seen
        if act.kind == .handedOver, !isContext {
            for miss in misses where !isForgiven(miss, card: card.number, before: now) {
                violate(.handover, "\(name), after \(miss.act.kind)")
            }
        }
        guard !isRight else { return attempt }
        wrongPINs += 1
        if !isContext, act.kind != .stored, earlier.contains(where: { $0.act === act }) { violate(.secondTry, name) }
        for miss in misses where miss.act.pin == act.pin {
            // Two modules at one card at the same time: the agent lets logins follow each other, and not signatures.
            if isContext || miss.isContext, asked < miss.judged ?? miss.ended ?? .max { continue }
            if miss.judged != nil {
                violate(.refusedAgain, name)
            } else if !isMeant(act, again: miss, card: card.number) {
                violate(.unansweredAgain, name)
            }
        }
        return attempt
    }

    /// Whether a person wants a PIN to be sent again that got no answer; or the token had taken it before, which allows one
    /// more.
    private func isMeant(_ act: PINAct, again miss: Attempt, card: Int) -> Bool {
        if miss.wasTaken, miss.act === act { return true }
        // The token has answered since: what it owed is not known any more by whose PIN.
        if (attempts[card] ?? []).contains(where: { $0.isRight && $0.judged ?? 0 > miss.began }) { return true }
        guard act.kind == .stored else { return act.began > miss.ended ?? .max }
        return isAskedForAgain(act, card, since: miss)
    }

    /// What the agent was told of an attempt; nil: nothing that it could know the PIN by.
    func end(_ attempt: Attempt, isJudged: Bool) {
        let now = tick()
        attempt.ended = attempt.ended ?? now
        if isJudged { attempt.judged = now }
    }

    /// The agent was killed: what it was told after `quiet` is not written.
    func kill(_ life: Int, quiet: Int) {
        let now = tick()
        for attempt in attempts.values.joined() where attempt.life == life {
            attempt.ended = attempt.ended ?? now
            if let judged = attempt.judged, judged > quiet { attempt.judged = nil }
        }
    }

    /// The first attempt after the last login that the agent knows of and that says something for this PIN.
    private func firstThatCounts(in earlier: [Attempt], for act: PINAct) -> Int {
        let last = earlier.lastIndex { past in
            past.isRight && past.judged != nil
                && (past.act.kind == .stored || act.kind != .stored || !past.hasStoredRule)
        }
        return last.map { $0 + 1 } ?? 0
    }

    /// Whether a person has unlocked the card after this.
    private func isForgiven(_ miss: Attempt, card: Int, before now: Int) -> Bool {
        guard miss.judged == nil, let ended = miss.ended else { return false }
        return unlocks.contains { $0.key.card == card && !$0.isFromLogin && $0.called > ended && $0.called < now }
            || words[card, default: []].contains { $0 > ended }
    }

    /// Whether a person asked for the stored PIN by name after this.
    private func isAskedForAgain(_ act: PINAct, _ card: Int, since miss: Attempt) -> Bool {
        guard let ended = miss.ended else { return false }
        return unlocks.contains { $0.key.card == card && !$0.isFromLogin && $0.called > ended }
    }

    // MARK: Locks

    struct Key: Hashable, Sendable {
        var module: String
        var card: Int
    }

    private struct LockSpan {
        /// Nil: all tokens, those that come later included.
        var keys: Set<Key>?
        var asked: Int
        var ended: Int?
        var time: Int64
        var isEvent: Bool
        /// It ended with its event, or with the agent that had not written it.
        var isOver = false
    }

    private struct UnlockSpan {
        var key: Key
        var isFromLogin: Bool
        var began: Int
        /// When the agent had looked for the token, and went on.
        var called: Int
        var ended: Int?
        var hasFailed = false
    }

    /// - Parameter asked: When it was asked for; nil: now.
    func beginLock(_ keys: Set<Key>?, isEvent: Bool, asked: Int? = nil) -> Int {
        locks.append(LockSpan(keys: keys, asked: asked ?? tick(), time: 0, isEvent: isEvent))
        return locks.count - 1
    }

    func endLock(_ index: Int, at time: Int64) {
        locks[index].ended = tick()
        locks[index].time = time
    }

    func endEvents() { for index in locks.indices where locks[index].isEvent { locks[index].isOver = true } }

    /// What was being locked when an agent was killed may be locked or not; an event is the agent's own.
    func forgetLocks() {
        for index in locks.indices where locks[index].isEvent || locks[index].ended == nil {
            locks[index].isOver = true
        }
        for index in unlocks.indices where unlocks[index].ended == nil {
            unlocks[index].ended = tick()
        }
    }

    /// A person asks to be asked.
    func noteWord(on card: Int) { words[card, default: []].append(tick()) }

    func beginUnlock(_ key: Key, isFromLogin: Bool, began: Int) -> Int {
        unlocks.append(UnlockSpan(key: key, isFromLogin: isFromLogin, began: began, called: tick()))
        return unlocks.count - 1
    }

    func endUnlock(_ index: Int, hasFailed: Bool) {
        unlocks[index].ended = tick()
        unlocks[index].hasFailed = hasFailed
    }

    /// The lock that is in force: set, and not ended by an `unlock` that a person began after it.
    private func lock(on key: Key) -> LockSpan? {
        locks.last { lock in
            guard let _ = lock.ended, !lock.isOver, lock.keys?.contains(key) ?? true else { return false }
            return !unlocks.contains { $0.key == key && $0.began > lock.asked && ($0.ended == nil || !$0.hasFailed) }
        }
    }

    /// How long a lock may take to end a login, in milliseconds: contract.md, a lock is done within a second.
    private static let patience: Int64 = 1000

    func judgeLogins(of card: ScriptedCard, on module: String, isLoggedIn: Bool, at time: Int64) {
        guard isLoggedIn, let lock = lock(on: Key(module: module, card: card.number)) else { return }
        guard time > lock.time + Self.patience else { return }
        violate(.loginOutlivesLock, "card \(card.number) at \(time), locked at \(lock.time)")
    }

    // MARK: Signatures

    /// - Parameter asked: When the worker got the request.
    func sign(_ login: CardLogin, on card: ScriptedCard, asked: Int64) {
        signatures += 1
        login.signatures += 1
        guard let answered = login.answered else { return }
        let isAllowed = login.lifetimes.contains { $0 == 0 ? login.signatures == 1 : asked <= answered + $0 }
        guard !login.lifetimes.isEmpty, !isAllowed else { return }
        violate(
            login.lifetimes.contains(0) ? .secondSignature : .signatureAfterEnd,
            "card \(card.number), asked at \(asked), logged in by \(login.act.kind) at \(login.began)"
                + " for \(login.lifetimes.sorted()) ms")
    }
}
