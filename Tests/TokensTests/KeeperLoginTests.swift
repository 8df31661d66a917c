import PKCS11URI
import Testing
import TokenService

@testable import Tokens

@Suite("The login of a keeper")
struct KeeperLoginTests {
    private let card = TokenKey(
        module: ModuleIdentity(path: "/m"),
        token: TokenDescription(label: [1], manufacturer: [], model: [], serial: [2]))
    private var ledger = TokenLedger()

    private mutating func logIn(_ outcome: LoginOutcome, lifetime: Int?, at now: Int64) throws {
        guard case .send(let sending) = ledger.decide(.typed, to: card, at: now) else { throw Unsent() }
        _ = ledger.note(.success(outcome), to: sending, lifetime: lifetime, hasStoredPIN: false, at: now)
    }

    private struct Unsent: Error {}

    @Test("It begins no time in which the worker is logged in, and ends none")
    mutating func time() throws {
        try logIn(.loggedIn, lifetime: nil, at: 0)
        #expect(ledger.loginEnds(card) == nil)
        try logIn(.loggedIn, lifetime: 60, at: 10_000)
        try logIn(.loggedIn, lifetime: nil, at: 20_000)
        #expect(ledger.loginEnds(card) == 70_000)
    }

    @Test("It gives the worker no second signature with a PIN that was good for one")
    mutating func oneSignature() throws {
        try logIn(.loggedIn, lifetime: 0, at: 0)
        #expect(try ledger.takeSignature(card).get())
        ledger.noteSignatureOver(card)
        try logIn(.loggedIn, lifetime: nil, at: 10_000)
        #expect(throws: LoginFailure.needed) { try ledger.takeSignature(card).get() }
    }

    @Test("A PIN that the token refuses there is refused everywhere")
    mutating func refused() throws {
        try logIn(.rejected(returnValue: 0xA0, name: "CKR_PIN_INCORRECT", failed: nil), lifetime: nil, at: 0)
        #expect(ledger.standingRefusal(card, isExplicit: false) == .rejected(name: "CKR_PIN_INCORRECT"))
    }
}
