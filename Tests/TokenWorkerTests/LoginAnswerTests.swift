import PKCS11
import Testing
import TokenService

@testable import TokenWorker

/// What the codes of PKCS#11 2.40 §11.1 mean when C_Login answers them.
@Suite("What an answer to a PIN means")
struct LoginAnswerTests {
    private static func rejected(_ number: UInt, _ name: String) -> LoginOutcome {
        .rejected(returnValue: UInt64(number), name: name, failed: nil)
    }

    @Test(
        "What is not success counts as a refusal of the PIN, what vendors invent included",
        arguments: [
            (0xA0, "CKR_PIN_INCORRECT"), (0xA1, "CKR_PIN_INVALID"), (0xA2, "CKR_PIN_LEN_RANGE"),
            (0xA4, "CKR_PIN_LOCKED"), (0x7, "CKR_ARGUMENTS_BAD"), (0x102, "CKR_USER_PIN_NOT_INITIALIZED"),
            (0x91, "CKR_OPERATION_NOT_INITIALIZED"), (0x103, "CKR_USER_TYPE_INVALID"),
            (0x8000_0007, "CKR_VENDOR_DEFINED+0x7"), (0x777, "0x777"),
        ] as [(UInt, String)])
    func refusals(number: UInt, name: String) throws {
        let run = try LoginScript(answer: code(number)).run()
        #expect(run.outcome == Self.rejected(number, name) && run.wasSent)
    }

    @Test("CKR_USER_ALREADY_LOGGED_IN proves nothing about the PIN") func already() throws {
        #expect(try LoginScript(answer: code(0x100)).run().outcome == .notNeeded)
    }

    @Test("A token whose PIN has expired is logged out of: some are logged in then, to refuse all else") func expired()
        throws
    {
        let run = try LoginScript(answer: code(0xA3)).run()
        #expect(run.steps.last == "log out" && run.outcome == Self.rejected(0xA3, "CKR_PIN_EXPIRED"))
    }

    /// Token gone, module broken, no memory, a person who declined, a lost session, CKR_FUNCTION_FAILED.
    @Test(
        "What went wrong before or beside the PIN is an error, no refusal",
        arguments: [
            0x32, 0xE0, 0xE1, 0x3, 0x5, 0x30, 0x190, 0x104, 0x2, 0x31, 0x50, 0x200, 0x1, 0xB3, 0xB0, 0x6,
        ] as [UInt])
    func errors(number: UInt) throws {
        let run = try LoginScript(answer: code(number)).run()
        #expect(run.outcome == nil && run.wasSent)
    }

    @Test(
        "An operation's PIN that a token does not ask for lets it sign as it is", arguments: [0x103, 0x100] as [UInt])
    func notEnforced(number: UInt) throws {
        #expect(try LoginScript(purpose: .operation, answer: code(number)).run().outcome == .notNeeded)
    }

    @Test("An operation that has ended may be begun again, because no PIN was judged") func noOperation() throws {
        let run = try LoginScript(purpose: .operation, answer: code(0x91)).run()
        #expect(run.outcome == nil && !run.wasSent)
    }

    @Test(
        "In the middle of an operation a person's no and a removed card are errors, and all else is a refusal",
        arguments: [
            (0x50, true), (0x200, true), (0x1, true), (0x32, true), (0xE0, true), (0xA0, false), (0xA4, false),
            (0xA3, false), (0xB3, false), (0xB0, false), (0x5, false), (0x30, false), (0x6, false),
            (0x8000_0001, false),
        ] as [(UInt, Bool)])
    func operation(number: UInt, isError: Bool) throws {
        let run = try LoginScript(purpose: .operation, answer: code(number)).run()
        #expect((run.outcome == nil) == isError && run.wasSent)
    }

    @Test(
        "A PIN that may have been looked at makes the token rest, a right one for a moment",
        arguments: [(nil, true), (0xA0, false), (0x32, false), (0x100, false), (0xE0, nil), (0x50, nil)]
            as [(UInt?, Bool?)])
    func pace(number: UInt?, isTaken: Bool?) {
        var attempt = LoginAttempt(login(), for: .token, PINMemory())
        try? attempt.note(answer: number.map { .failed(.logIn, code($0)) })  // an error is counted all the same
        #expect(attempt.isTaken == isTaken)
    }

    /// The codes that a token answers before it has seen the PIN.
    @Test("Whatever C_Login answers may have cost a try, but where there was no token or no person")
    func tries() {
        let free: Set<UInt> = [0xE0, 0xE1, 0x3, 0x190, 0x50, 0x200, 0x1]
        for number in (0...0x250 as ClosedRange<UInt>).map({ $0 }) + [0x8000_0000, 0x8000_0001, .max] where number != 0
        {
            #expect(code(number).mayHaveCostATry == !free.contains(number), "\(code(number))")
        }
    }
}
