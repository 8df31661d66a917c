import PKCS11URI
import Prompts
import Testing
import TokenService

@testable import Tokens

@Suite("What the ledger decides about logins")
struct TokenLedgerTests {
    private static func key(_ label: String, module: String = "/m") -> TokenKey {
        TokenKey(
            module: ModuleIdentity(path: module),
            token: TokenDescription(label: Array(label.utf8), manufacturer: [], model: [], serial: []))
    }
    private let card = key("card")
    /// The same card as another module shows it.
    private let twin = key("card", module: "/n")
    private let other = key("other")
    private var ledger = TokenLedger()

    private static func pin(_ byte: UInt8) -> FailedPIN? {
        FailedPIN(salt: .init(repeating: byte, count: 16), hash: .init(repeating: byte, count: 32))
    }

    private static let wrong = LoginOutcome.rejected(
        returnValue: 0xA0, name: "CKR_PIN_INCORRECT", failed: pin(1), oddities: [])
    private static let lost = ModuleFailure.lost(WorkerLoss(cause: .ended("it crashed")))

    /// Sends a PIN when the ledger lets it, and notes the answer.
    private mutating func logIn(
        _ origin: PINTries.Origin, to key: TokenKey, _ answer: Result<LoginOutcome, ModuleFailure>,
        lifetime: Int = 3600, hasStoredPIN: Bool = false, at now: Int64
    ) throws -> Result<Void, LoginFailure> {
        guard case .send(let sending) = ledger.decide(origin, to: key, at: now) else {
            throw Unsent(decision: ledger.decide(origin, to: key, at: now))
        }
        return ledger.note(answer, to: sending, lifetime: lifetime, hasStoredPIN: hasStoredPIN, at: now)
    }

    private mutating func unlock(_ key: TokenKey, _ origin: PINTries.Origin, asOf moment: Locks.Moment = .init())
        -> Result<Locks.Unlocking, LoginFailure>
    {
        if let failure = ledger.beginUnlock(key, origin, asOf: moment) { return .failure(failure) }
        return .success(ledger.changeLocks { $0.beginUnlock(key, asOf: moment) })
    }

    private mutating func end(_ unlocking: Locks.Unlocking, hasWorked: Bool) {
        ledger.changeLocks { $0.endUnlock(unlocking, hasWorked: hasWorked) }
    }

    private struct Unsent: Error { let decision: TokenLedger.Decision }

    @Test("A locked token is sent no PIN, whoever has locked it")
    mutating func locked() {
        _ = ledger.changeLocks { $0.lock([card], asOf: .init()) }
        #expect(ledger.decide(.stored(nil), to: card, at: 0) == .refuse(.locked))
        #expect(ledger.takeSignature(card).failure == .locked)
        let hasBegun = ledger.changeLocks { $0.begin(.suspend) }
        #expect(hasBegun && ledger.decide(.typed, to: other, at: 0) == .refuse(.locked))
        #expect(ledger.takeUnsavedTries() == nil)
    }

    @Test("A PIN without an answer stops every PIN for the card, by any module, until a person unlocks it")
    mutating func unanswered() throws {
        #expect(try logIn(.stored(nil), to: card, .failure(Self.lost), at: 0).failure == .module(Self.lost))
        for key in [card, twin] {
            #expect(ledger.decide(.stored(nil), to: key, at: 100_000) == .refuse(.unanswered))
            #expect(ledger.decide(.typed, to: key, at: 100_000) == .refuse(.unanswered))
        }
        #expect(ledger.takeUnsavedTries()?.unanswered == [card])
        let unlocking = try unlock(twin, .typed).get()
        #expect(ledger.takeUnsavedTries() == PINTries.Record())
        #expect(try logIn(.typed, to: twin, .success(.loggedIn), at: 100_000).failure == nil)
        end(unlocking, hasWorked: true)
    }

    @Test("A call under way is on record before it is made")
    mutating func record() {
        guard case .send = ledger.decide(.stored(nil), to: card, at: 0) else { return #expect(Bool(false)) }
        #expect(ledger.takeUnsavedTries()?.unanswered == [card])
        let next = TokenLedger(tries: .init(unanswered: [card]))
        #expect(next.tries.owesAnswer(card) && next.tries.owesAnswer(twin) && !next.tries.owesAnswer(other))
    }

    @Test("A refused PIN stands for every module until a login that was not typed, or that no stored PIN stands beside")
    mutating func refused() throws {
        #expect(try logIn(.stored(nil), to: card, .success(Self.wrong), at: 0).failure != nil)
        #expect(ledger.tries.refused(by: twin) == [Self.pin(1)].compactMap(\.self))
        #expect(ledger.standingRefusal(card, isExplicit: false) != nil)
        #expect(ledger.standingRefusal(card, isExplicit: true) == nil)
        _ = try logIn(.typed, to: card, .success(.loggedIn), hasStoredPIN: true, at: 20_000)
        #expect(ledger.standingRefusal(card, isExplicit: false) == nil && !ledger.tries.refused(by: card).isEmpty)
        _ = try logIn(.typed, to: card, .success(.loggedIn), at: 40_000)
        #expect(ledger.tries.refused(by: twin).isEmpty)
        #expect(ledger.takeUnsavedTries() == PINTries.Record())
    }

    @Test("PINs that the card has not taken follow each other after 2, 4, 8 and 10 seconds")
    mutating func pace() throws {
        var now: Int64 = 0
        for pause: Int64 in [2000, 4000, 8000, 10_000, 10_000] {
            _ = try logIn(.typed, to: card, .success(Self.wrong), at: now)
            #expect(ledger.decide(.typed, to: twin, at: now) == .wait(milliseconds: pause))
            #expect(ledger.decide(.typed, to: card, at: now + pause - 1) == .wait(milliseconds: 1))
            now += pause
        }
    }

    @Test("A PIN that a login hands over is kept from a card that has refused one or owes an answer, and ends neither")
    mutating func handedOver() throws {
        _ = try logIn(.stored(nil), to: card, .failure(Self.lost), at: 0)
        #expect(ledger.refusesHandedOver(twin) && !ledger.refusesHandedOver(other))
        #expect(unlock(twin, .handedOver).failure == .notFromLogin)
        #expect(ledger.tries.owesAnswer(card))
    }

    @Test("A PIN that a login hands over is kept from a card that has refused one since the unlock began")
    mutating func handedOverMeanwhile() throws {
        #expect(unlock(card, .handedOver).failure == nil)
        let signature = ledger.expectSignature(with: nil, on: twin)
        #expect(ledger.decide(.handedOver, to: card, at: 0) == .refuse(.notFromLogin))
        ledger.noteSignature(.success(Self.wrong), signature, on: twin, at: 0)
        #expect(ledger.decide(.handedOver, to: card, at: 10_000) == .refuse(.notFromLogin))
    }

    @Test(
        "An unlock does not forgive an answer that is missing since it was asked for",
        arguments: [.stored(nil), .typed] as [PINTries.Origin])
    mutating func forgiving(origin: PINTries.Origin) throws {
        let asked = Locks.Moment()
        _ = try logIn(.typed, to: twin, .failure(Self.lost), at: 0)
        #expect(unlock(card, origin, asOf: asked).failure == .unanswered && ledger.tries.owesAnswer(card))
        #expect(unlock(card, origin).failure == nil && !ledger.tries.owesAnswer(card))
    }

    @Test("A typed PIN is sent after one on the keypad that got no answer, and a stored one is not")
    mutating func keypad() throws {
        let asked = Locks.Moment()
        _ = try logIn(.keypad, to: card, .failure(Self.lost), at: 0)
        #expect(unlock(card, .stored(nil), asOf: asked).failure == .unanswered)
        #expect(unlock(card, .typed, asOf: asked).failure == nil)
    }

    @Test("A typed PIN for one signature gives one, and the token is to be logged out of after it")
    mutating func oneSignature() throws {
        #expect(ledger.takeSignature(card).value == false)
        _ = try logIn(.typed, to: card, .success(.loggedIn), lifetime: 0, at: 0)
        #expect(ledger.loginEnds(card) == nil)
        #expect(ledger.takeSignature(card).value == true)
        #expect(ledger.takeSignature(card).failure == .needed)
        ledger.noteLogout(card, ofLoginUntil: nil)
        #expect(ledger.takeSignature(card).failure == .needed)
        ledger.noteSignatureOver(card)
        _ = try logIn(.typed, to: card, .success(.loggedIn), lifetime: 0, at: 1000)
        #expect(ledger.takeSignature(card).value == true)
    }

    @Test("No PIN is sent between a typed PIN's one signature and the logout after it, which would end that login too")
    mutating func betweenSignatureAndLogout() throws {
        for origin in [PINTries.Origin.typed, .handedOver, .keypad, .stored(nil)] {
            _ = try logIn(.typed, to: card, .success(.loggedIn), lifetime: 0, at: 0)
            #expect(ledger.takeSignature(card).value == true)
            #expect(ledger.decide(origin, to: card, at: 100_000) == .wait(milliseconds: 100))
            ledger.noteSignatureOver(card)
            let after = ledger.decide(origin, to: card, at: 100_000)
            guard case .send = after else { throw Unsent(decision: after) }
            ledger = TokenLedger()
        }
    }

    @Test("The end of a typed PIN's login ends with a logout, a lock, and a login with the stored PIN")
    mutating func lifetime() throws {
        for end in 0..<3 {
            let now = Int64(end) * 1000
            _ = try logIn(.typed, to: card, .success(.loggedIn), lifetime: 60, at: now)
            #expect(ledger.loginEnds(card) == now + 60_000)
            switch end {
            case 0: ledger.noteLogout(card, ofLoginUntil: now + 60_000)
            case 1: _ = try logIn(.stored(nil), to: card, .success(.loggedIn), at: now + 500)
            default: _ = ledger.changeLocks { $0.lock([card], asOf: .init()) }
            }
            #expect(ledger.loginEnds(card) == nil)
        }
    }

    @Test("A lock that came after an unlock was asked for stands, and one of another token does not matter")
    mutating func lockedSince() {
        var asked = Locks.Moment()
        _ = ledger.changeLocks { $0.lock([other], asOf: .init()) }
        #expect(unlock(card, .typed, asOf: asked).failure == nil)
        asked = Locks.Moment()
        _ = ledger.changeLocks { $0.lock([card], asOf: .init()) }
        #expect(unlock(card, .typed, asOf: asked).failure == .locked && ledger.isLocked(card))
        asked = Locks.Moment()
        _ = ledger.changeLocks { $0.begin(.suspend) }
        _ = ledger.changeLocks { $0.end(.suspend) }
        #expect(unlock(card, .typed, asOf: asked).failure == .locked)
        #expect(unlock(card, .typed).failure == nil && !ledger.isLocked(card))
    }

    @Test("A lock that takes its time leaves out tokens that were unlocked after it was asked for, and no others")
    mutating func unlockedSince() throws {
        let (before, asked) = (Locks.Moment(), Locks.Moment())
        for isLocked in [true, false] {
            let moment = isLocked ? before : Locks.Moment()
            end(try unlock(card, .typed, asOf: moment).get(), hasWorked: true)
            let locked = ledger.changeLocks { $0.lock([card, other], asOf: asked) }
            #expect(locked == (isLocked ? [card, other] : [other]))
            #expect(ledger.isLocked(card) == isLocked)
            end(try unlock(card, .typed).get(), hasWorked: false)
        }
    }

    @Test("While one call sends the card a PIN that may be wrong, by any module, no other one does")
    mutating func oneAtATime() {
        let sending = ledger.expectSignature(with: nil, on: card)
        #expect(ledger.mustWait(with: nil, on: twin) && !ledger.mustWait(with: nil, on: other))
        #expect(ledger.decide(.stored(nil), to: twin, at: 0) == .wait(milliseconds: 100))
        ledger.noteSignature(.success(.notNeeded), sending, on: card, at: 0)
        #expect(!ledger.mustWait(with: nil, on: twin))
    }

    @Test("A lock is to outlive the agent until its unlock has worked")
    mutating func lasting() throws {
        _ = ledger.changeLocks { $0.lock([card], asOf: .init()) }
        let unlocking = try unlock(card, .typed).get()
        _ = ledger.changeLocks { $0.lock([other], asOf: .init()) }
        #expect(!ledger.isLocked(card) && ledger.locks.lasting == LockSet(exceptions: [card, other]))
        end(unlocking, hasWorked: true)
        #expect(ledger.locks.lasting == LockSet(exceptions: [other]))
    }

    @Test("A login whose time is over stays over until the token is logged out of, and a newer login stays")
    mutating func over() throws {
        _ = try logIn(.typed, to: card, .success(.loggedIn), lifetime: 60, at: 0)
        #expect(!ledger.isOver(card, at: 59_999) && ledger.isOver(card, at: 60_000))
        _ = try logIn(.typed, to: card, .success(.loggedIn), lifetime: 60, at: 61_000)
        ledger.noteLogout(card, ofLoginUntil: 60_000)
        #expect(ledger.loginEnds(card) == 121_000)
        ledger.noteLogout(card, ofLoginUntil: 121_000)
        #expect(ledger.loginEnds(card) == nil)
    }

    @Test("A block that the flags tell of ends with them, and one that the card has answered does not")
    mutating func blocked() throws {
        _ = try logIn(.stored(nil), to: card, .success(.refused(.locked)), at: 0)
        #expect(ledger.isBlocked(card) && ledger.standingRefusal(card, isExplicit: true) == .notSent(.locked))
        ledger.noteSeen(card, [.loginRequired, .userPINLocked])
        #expect(ledger.isBlocked(card))
        ledger.noteSeen(card, [.loginRequired])
        #expect(!ledger.isBlocked(card))
        let locked = LoginOutcome.rejected(returnValue: 0xA4, name: "CKR_PIN_LOCKED", failed: nil)
        _ = try logIn(.keypad, to: other, .success(locked), at: 0)
        ledger.noteSeen(other, [.loginRequired])
        #expect(ledger.isBlocked(other))
    }

    @Test("One module's refused PINs push out no others: its tokens get no PIN once it has too many")
    mutating func room() throws {
        for number in 0..<256 {
            _ = try logIn(.typed, to: Self.key("\(number)"), .success(Self.wrong), at: 0)
        }
        #expect(ledger.decide(.typed, to: card, at: 0) == .refuse(.triesUnkept))
        guard case .send = ledger.decide(.typed, to: Self.key("x", module: "/n"), at: 0) else {
            return #expect(Bool(false))
        }
    }

    @Test("A prompt says what became of the PIN before it, and a decline stands until a person wants to be asked")
    mutating func prompts() {
        ledger.notePrompt(.failure(.rejected(name: "CKR_PIN_INCORRECT", oddities: [.quotes])), for: card)
        let words = ledger.lastPrompt(card)
        #expect(words == "The token refused the last PIN (CKR_PIN_INCORRECT). It had quotes around it.")
        ledger.notePrompt(.failure(.notSent(.length(shortest: 4, longest: 8))), for: card)
        #expect(ledger.lastPrompt(card)?.contains("takes 4 to 8 characters") == true)
        ledger.notePrompt(.success(()), for: card)
        #expect(ledger.lastPrompt(card) == nil)
        ledger.noteDeclined(.cancelled, for: card)
        #expect(ledger.standingRefusal(card, isExplicit: false) == .declined(.cancelled))
        #expect(ledger.standingRefusal(card, isExplicit: true) == nil)
        ledger.addWaitingPIN(card)
        #expect(ledger.decideToAsk(for: card, isExplicit: true) == .needed)
        ledger.removeWaitingPIN(card)
        #expect(ledger.decideToAsk(for: card, isExplicit: true) == nil)
    }

    @Test("A token of a module that is configured no longer leaves behind what keeps a PIN from being sent again")
    mutating func forgotten() throws {
        _ = try logIn(.typed, to: card, .success(Self.wrong), at: 0)
        _ = try logIn(.typed, to: other, .success(.loggedIn), at: 0)
        ledger.forgetTokens(outside: [])
        #expect(ledger.keys == [card] && !ledger.tries.refused(by: card).isEmpty)
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
    fileprivate var value: Success? { try? get() }
}
