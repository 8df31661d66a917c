import PKCS11URI
import TokenService

/// A card as PKCS#11 shows it: a PIN, a counter of tries, and the processes that are logged in to it.
final class ScriptedCard: @unchecked Sendable {  // used by one thread
    let number: Int
    let token: TokenDescription
    var pin: [UInt8]
    /// Nil for a token that never locks, such as SoftHSM's.
    let tries: Int?
    private(set) var triesLeft: Int
    /// Whether its flags tell of wrong PINs that it has counted: PKCS#11 lets a token keep that to itself.
    let showsCount: Bool
    let hasKeypad: Bool
    /// CKA_ALWAYS_AUTHENTICATE of its key.
    let alwaysAuthenticates: Bool
    /// Nil while it is in no reader.
    var slot: UInt64?
    /// Who is logged in, by the worker's number.
    var logins: [Int: CardLogin] = [:]

    init(number: Int, pin: [UInt8], tries: Int?, showsCount: Bool, hasKeypad: Bool, alwaysAuthenticates: Bool) {
        self.number = number
        token = TokenDescription(
            label: Array("card\(number)".utf8), manufacturer: Array("Model".utf8), model: Array("Card".utf8),
            serial: Array("\(number)".utf8))
        self.pin = pin
        self.tries = tries
        triesLeft = tries ?? .max
        self.showsCount = showsCount
        self.hasKeypad = hasKeypad
        self.alwaysAuthenticates = alwaysAuthenticates
        slot = UInt64(number)
    }

    var flags: TokenFlags {
        var flags: TokenFlags = [.loginRequired, .userPINInitialized, .tokenInitialized]
        if hasKeypad { flags.insert(.protectedAuthenticationPath) }
        guard showsCount else { return flags }
        if triesLeft < tries ?? .max { flags.insert(.userPINCountLow) }
        if triesLeft == 1 { flags.insert(.userPINFinalTry) }
        if triesLeft == 0 { flags.insert(.userPINLocked) }
        return flags
    }

    enum Verdict: Sendable { case right, wrong, blocked }

    /// What C_Login makes of a PIN.
    func enter(_ pin: [UInt8]) -> Verdict {
        guard triesLeft > 0 else { return .blocked }
        guard pin == self.pin else {
            triesLeft -= 1
            return .wrong
        }
        triesLeft = tries ?? .max
        return .right
    }

    /// It is out of its reader, or has lost its power there.
    func loseLogins() { logins = [:] }

    /// The vendor's tool gives it a PIN with the security officer's.
    func reset(to pin: [UInt8]) {
        self.pin = pin
        triesLeft = tries ?? .max
    }

    func snapshot(for worker: Int) -> TokenSnapshot {
        let isLoggedIn = logins[worker] != nil
        let key = KeyObject(
            keyClass: .privateKey, id: [1], label: [], publicHalf: .other(keyType: 1), canSign: true,
            alwaysAuthenticates: alwaysAuthenticates)
        return TokenSnapshot(
            slotID: slot ?? 0, token: token, flags: flags, isLoggedIn: isLoggedIn, pinLength: 4...12,
            certificates: [], keys: isLoggedIn ? [key] : [])
    }
}

/// A login as the card knows it.
final class CardLogin {
    let act: PINAct
    let began: Int64
    /// How long a typed PIN lasts, in milliseconds, by the rule that was in force; by one of two right after a reload.
    /// Empty for a stored PIN.
    let lifetimes: Set<Int64>
    /// When the agent was told.
    var answered: Int64?
    var signatures = 0

    init(act: PINAct, began: Int64, lifetimes: Set<Int64>) {
        self.act = act
        self.began = began
        self.lifetimes = lifetimes
    }
}

/// Where a PIN came from: a person who typed it once, or a file in one state.
final class PINAct: Sendable {
    enum Kind: Hashable, Sendable { case typed, handedOver, keypad, stored }
    let kind: Kind
    let card: Int
    let pin: [UInt8]
    /// When it began, in the order of all that happened.
    let began: Int

    init(_ kind: Kind, card: Int, pin: [UInt8], began: Int) {
        self.kind = kind
        self.card = card
        self.pin = pin
        self.began = began
    }

    var isUnattended: Bool { kind == .stored || kind == .handedOver }
}
