import PKCS11URI
import Testing
import TokenService

@testable import TokenWorker

@Suite("What a worker remembers of PINs")
struct PINMemoryTests {
    private let token = reference().token
    private let stored = login(.file(path: "/pin"))
    private let unjudged = LoginOutcome.rejected(returnValue: 0x5, name: "CKR_GENERAL_ERROR", failed: nil)
    private let wrong = LoginOutcome.rejected(returnValue: 0xA0, name: "CKR_PIN_INCORRECT", failed: failedPIN())

    @Test("A typed PIN is held from when the token has taken it until it is wiped") func holds() throws {
        var memory = PINMemory()
        memory.noteLogin(wrong, to: login(), wasSent: true, pin: try held("123456"))
        #expect(memory.pin(for: token) == nil)
        memory.noteLogin(.loggedIn, to: login(), wasSent: true, pin: try held("123456"))
        #expect(memory.pin(for: token) != nil)
        memory.wipe(reference("another").token)
        #expect(memory.pin(for: token) != nil)
        memory.wipe(token)
        #expect(memory.pin(for: token) == nil)
    }

    @Test("All are wiped at once, and those of tokens that have gone") func wipesAll() throws {
        var memory = PINMemory()
        memory.noteLogin(.loggedIn, to: login(), wasSent: true, pin: try held("123456"))
        memory.keep(only: [token, reference("another").token])
        #expect(memory.pin(for: token) != nil)
        memory.keep(only: [reference("another").token])
        #expect(memory.pin(for: token) == nil)
        memory.noteLogin(.loggedIn, to: login(), wasSent: true, pin: try held("123456"))
        memory.wipe(nil)
        #expect(memory.pin(for: token) == nil)
    }

    @Test("A PIN that an operation's token refuses is held no longer, and known from then on") func refuses() throws {
        var memory = PINMemory()
        memory.noteLogin(.loggedIn, to: login(), wasSent: true, pin: try held("123456"))
        memory.noteOperation(wrong, login())
        #expect(memory.pin(for: token) == nil && memory.refused(by: token) == [failedPIN()])
        #expect(memory.doubt(about: token) == nil && memory.refused(by: reference("another").token) == [])
    }

    @Test("A PIN that the token has refused through another module is held no longer") func refusedElsewhere() throws {
        var memory = PINMemory()
        memory.noteLogin(.loggedIn, to: login(), wasSent: true, pin: try held("123456"))
        memory.noteOperation(.refused(.countLow), login())
        #expect(memory.pin(for: token) != nil)
        memory.noteOperation(.refused(.knownWrong), login())
        #expect(memory.pin(for: token) == nil)
    }

    @Test("A stored PIN that was taken makes the refused ones history; a typed one does not") func forgets() {
        var memory = PINMemory()
        memory.noteOperation(wrong, stored)
        memory.noteLogin(.loggedIn, to: login(), wasSent: true, pin: nil)
        memory.noteOperation(.notNeeded, stored)
        #expect(memory.refused(by: token) == [failedPIN()])
        memory.noteOperation(.loggedIn, stored)
        #expect(memory.refused(by: token) == [])
    }

    @Test("A stored PIN that was not judged is in doubt until a login") func doubts() {
        var memory = PINMemory()
        memory.noteOperation(unjudged, login())
        #expect(memory.doubt(about: token) == nil, "a person types another one")
        memory.noteOperation(unjudged, stored)
        memory.noteOperation(.notNeeded, stored)
        memory.noteLogin(.notNeeded, to: stored, wasSent: true, pin: nil)
        memory.noteLogin(.refused(.countLow), to: stored, wasSent: false, pin: nil)
        #expect(memory.doubt(about: token) == unjudged)
        memory.noteLogin(.loggedIn, to: login(), wasSent: true, pin: nil)
        #expect(memory.doubt(about: token) == nil)
    }

    @Test("A person's login to a token that wants none ends a doubt") func endsDoubt() {
        var memory = PINMemory()
        memory.noteOperation(unjudged, stored)
        memory.noteLogin(.notNeeded, to: login(), wasSent: false, pin: nil)
        #expect(memory.doubt(about: token) == nil)
    }
}

@Suite("Refused PINs known again")
struct FailedPINTests {
    private static let salt = [UInt8](0..<16)
    /// Python's hashlib.scrypt(b"123456", salt=bytes(range(16)), n=2**15, r=8, p=1, dklen=32)
    private static let hash: [UInt8] = [
        0x2C, 0x96, 0xFB, 0x20, 0xF5, 0xAF, 0x75, 0x03, 0xBD, 0x94, 0x93, 0x6A, 0x79, 0xD3, 0xE5, 0xE0,
        0xA0, 0x68, 0xEE, 0x17, 0x99, 0x25, 0xF8, 0x46, 0x28, 0xB9, 0xCA, 0x75, 0x3C, 0xB0, 0x19, 0x9D,
    ]

    @Test("A PIN is known again by the scrypt of it, and by nothing else") func known() throws {
        let refused = try #require(FailedPIN(salt: Self.salt, hash: Self.hash))
        #expect([refused].mayContain(try held("123456").pin))
        #expect(![refused].mayContain(try held("1234567").pin))
        #expect([failedPIN(), refused].mayContain(try held("123456").pin))
        #expect(![FailedPIN]().mayContain(try held("123456").pin))
    }

    @Test("Only a PIN that the token has judged is remembered, under the salt of its others")
    func remembers() throws {
        let pin = try held("123456")
        let judged = LoginOutcome.rejected(returnValue: 0xA0, name: "CKR_PIN_INCORRECT", failed: nil)
        let expected = try #require(FailedPIN(salt: Self.salt, hash: Self.hash))
        #expect(
            judged.remembering(pin.pin, salt: Self.salt)
                == .rejected(returnValue: 0xA0, name: "CKR_PIN_INCORRECT", failed: expected))
        for outcome in [
            LoginOutcome.rejected(returnValue: 0xA4, name: "CKR_PIN_LOCKED", failed: nil),
            .rejected(returnValue: 0xA3, name: "CKR_PIN_EXPIRED", failed: nil),
            .rejected(returnValue: 0x8000_0001, name: "CKR_VENDOR_DEFINED+0x1", failed: nil), .loggedIn,
        ] {
            #expect(outcome.remembering(pin.pin, salt: Self.salt) == outcome)
        }
    }

    @Test("Without another a new salt is made each time") func salts() throws {
        let pin = try held("123456")
        let judged = LoginOutcome.rejected(returnValue: 0xA2, name: "CKR_PIN_LEN_RANGE", failed: nil)
        let salts = (0..<2).map { _ -> [UInt8]? in
            guard case .rejected(_, _, let failed, _) = judged.remembering(pin.pin, salt: nil) else { return nil }
            return failed?.salt
        }
        #expect(salts[0] != nil && salts[1] != nil && salts[0] != salts[1])
    }
}
