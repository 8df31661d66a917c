import PKCS11
import Testing
import TokenService

@testable import TokenWorker

@Suite("Whether a PIN is sent")
struct LoginAttemptTests {
    @Test("The token is looked at, the PIN is read, and then it is sent") func typed() throws {
        let run = try LoginScript().run()
        #expect(run == .init(steps: ["look", "fetch", "send"], outcome: .loggedIn, wasSent: true))
    }

    @Test("A token that wants no login gets no PIN") func noLogin() throws {
        let run = try LoginScript(flags: [[.userPINInitialized, .tokenInitialized]]).run()
        #expect(run == .init(steps: ["look"], outcome: .notNeeded, wasSent: false))
    }

    /// CKF flags of PKCS#11 2.40, table 6. A stored PIN, and one that was typed at a login of the workstation's, are held back
    /// by a low count too: a person must look first.
    @Test(
        "The token's own flags keep a PIN from being sent",
        arguments: [
            (0x0004_0000, .locked, .locked), (0x0002_0000, .finalTry, .finalTry),
            (0x0008_0000, .toBeChanged, .toBeChanged), (0x0001_0000, nil, .countLow),
        ] as [(UInt64, LoginRefusal?, LoginRefusal?)])
    func flags(flag: UInt64, typed: LoginRefusal?, stored: LoginRefusal?) throws {
        let flags = [TokenFlags.good.union(TokenFlags(rawValue: flag))]
        let requests = [
            (login(), typed), (login(isFromLogin: true), stored), (login(.file(path: "/pin")), stored),
            (login(.credential(path: "/pin")), stored),
        ]
        for (request, refusal) in requests {
            let run = try LoginScript(request: request, flags: flags).run()
            #expect(run.outcome == refusal.map { .refused($0) } ?? .loggedIn, "\(request.source)")
            #expect(run.wasSent == (refusal == nil))
        }
    }

    @Test("A token without a user PIN gets none") func notInitialized() throws {
        let run = try LoginScript(flags: [[.loginRequired, .tokenInitialized]]).run()
        #expect(run.outcome == .refused(.notInitialized) && !run.wasSent)
    }

    @Test(
        "A PIN that is too short or too long, a module's command, or a control byte is not sent",
        arguments: [
            ("123", .length(shortest: 4, longest: 8)), ("123456789", .length(shortest: 4, longest: 8)),
            ("VERIFY_NONE", .reserved), ("VERIFY_BIO", .reserved), ("12\u{0}456", .controlByte),
            ("1234\u{7F}", .controlByte), ("1234\n", .controlByte), ("1234", nil), ("12345678", nil), ("12 456", nil),
        ] as [(String, LoginRefusal?)])
    func shapes(pin: String, refusal: LoginRefusal?) throws {
        let run = try LoginScript(pin: .success(pin)).run()
        #expect(run.outcome == refusal.map { .refused($0) } ?? .loggedIn)
        #expect(run.wasSent == (refusal == nil))
    }

    @Test("A module's command may be sent where the configuration says so, whatever its length") func reserved() throws
    {
        let run = try LoginScript(request: login(mayBeReserved: true), pin: .success("VERIFY_NONE")).run()
        #expect(run.outcome == .loggedIn)
    }

    @Test("A stored PIN that cannot be read is not sent, and the reason is told") func unreadable() throws {
        let run = try LoginScript(request: login(.file(path: "/pin")), pin: .failure(.tooLong)).run()
        #expect(run.outcome == .refused(.unreadable(reason: "it is longer than 255 bytes")) && !run.wasSent)
    }

    @Test("A PIN that the token has refused before is not sent again") func knownWrong() throws {
        let run = try LoginScript(request: login(refused: [failedPIN()]), mayBeRefused: true).run()
        #expect(run == .init(steps: ["look", "fetch", "compare"], outcome: .refused(.knownWrong), wasSent: false))
    }

    @Test("What a signature has found out is known to a login as well") func remembered() throws {
        var memory = PINMemory()
        memory.noteOperation(
            .rejected(returnValue: 0xA0, name: "CKR_PIN_INCORRECT", failed: failedPIN()), login(.file(path: "/pin")))
        let run = try LoginScript(memory: memory, mayBeRefused: true).run()
        #expect(run.outcome == .refused(.knownWrong))
    }

    @Test("After the slow comparison the flags are read again, and decide") func comparedFlags() throws {
        let request = login(refused: [failedPIN()])
        let good = try LoginScript(request: request).run()
        #expect(good.steps == ["look", "fetch", "compare", "look", "send"])
        let locked = try LoginScript(request: request, flags: [.good, .good.union(.userPINFinalTry)]).run()
        #expect(locked.outcome == .refused(.finalTry) && !locked.wasSent)
    }

    @Test("A token that rests is looked at again when its rest is over, and that look decides") func rests() throws {
        let run = try LoginScript(rest: 2000).run()
        #expect(run.steps == ["look", "rest 2000", "look", "fetch", "send"] && run.outcome == .loggedIn)
        let locked = try LoginScript(rest: 2000, flags: [.good, .good.union(.userPINFinalTry)]).run()
        #expect(locked.outcome == .refused(.finalTry) && !locked.wasSent)
        let refused = try LoginScript(rest: 2000, flags: [.good.union(.userPINLocked)]).run()
        #expect(refused.steps == ["look"], "nobody waits for a refusal")
    }

    @Test("A pinpad is switched on where the token has one, with no PIN read") func pinpad() throws {
        let request = login(.protected)
        let flags = TokenFlags.good.union(.protectedAuthenticationPath)
        #expect(try LoginScript(request: request, flags: [flags]).run().steps == ["look", "send"])
        #expect(try LoginScript(request: request).run().outcome == .refused(.noPinpad))
    }

    @Test("No PIN is sent once the agent is gone") func agentGone() throws {
        var attempt = LoginAttempt(login(), for: .token, PINMemory())
        attempt.note(flags: .good, lengths: 4...8)
        attempt.note(pin: .success(PINShape(try held("123456").pin)))
        #expect(attempt.step == .send)
        attempt.noteIsOver()
        #expect(attempt.step == .end(.refused(.notHeld)) && !attempt.wasSent)
    }

    @Test("A PIN that was refused during the rest is compared with, and one refused during the comparison as well")
    func learnsMeanwhile() throws {
        var memory = PINMemory()
        var attempt = LoginAttempt(login(), for: .token, memory, rest: 100)
        func refuse(_ failed: FailedPIN) {
            memory.noteOperation(.rejected(returnValue: 0xA0, name: "", failed: failed), login())
            attempt.note(memory)
        }
        let pin = PINShape(try held("123456").pin)
        attempt.note(flags: .good, lengths: 4...8)
        attempt.noteRest()
        refuse(failedPIN(1))
        attempt.note(flags: .good, lengths: 4...8)
        attempt.note(pin: .success(pin))
        #expect(attempt.step == .compare)
        attempt.note(mayBeRefused: false)
        refuse(failedPIN(2))
        attempt.note(flags: .good, lengths: 4...8)
        #expect(attempt.step == .fetchPIN && attempt.request.refused == [failedPIN(1), failedPIN(2)])
        attempt.note(pin: .success(pin))
        attempt.note(mayBeRefused: false)
        attempt.note(memory)
        attempt.note(flags: .good, lengths: 4...8)
        #expect(attempt.step == .send)
    }
}

@Suite("Whether a PIN is sent for one operation")
struct OperationLoginTests {
    @Test("A typed PIN that the token has taken goes to the operation as it is") func typed() throws {
        let run = try LoginScript(purpose: .operation, pin: .success("123456789")).run()
        #expect(run == .init(steps: ["look", "fetch", "send"], outcome: .loggedIn, wasSent: true))
    }

    @Test("A typed PIN that the token has refused since, through another module, is not sent for an operation")
    func refusedSince() throws {
        let script = LoginScript(request: login(refused: [failedPIN()]), purpose: .operation, mayBeRefused: true)
        #expect(
            try script.run()
                == .init(steps: ["look", "fetch", "compare"], outcome: .refused(.knownWrong), wasSent: false))
    }

    @Test("Where none is held, none is asked of anybody") func notHeld() throws {
        let run = try LoginScript(purpose: .operation, pin: .failure(.empty)).run()
        #expect(run.outcome == .refused(.notHeld) && !run.wasSent)
    }

    @Test("A key may want the PIN on a token that wants no login") func noLoginRequired() throws {
        let run = try LoginScript(purpose: .operation, flags: [[.userPINInitialized]]).run()
        #expect(run.outcome == .loggedIn)
    }

    @Test("A stored PIN is held to its length, and to what the token has refused") func stored() throws {
        let request = login(.file(path: "/pin"))
        let long = try LoginScript(request: request, purpose: .operation, pin: .success("123456789")).run()
        #expect(long.outcome == .refused(.length(shortest: 4, longest: 8)))
        let known = login(.file(path: "/pin"), refused: [failedPIN()])
        let run = try LoginScript(request: known, purpose: .operation, mayBeRefused: true).run()
        #expect(run.outcome == .refused(.knownWrong) && !run.wasSent)
    }

    @Test("A stored PIN that was not judged is not sent for the next operation, but may be for a login") func doubt()
        throws
    {
        let request = login(.file(path: "/pin"))
        let unjudged = LoginOutcome.rejected(returnValue: 0x8000_0001, name: "CKR_VENDOR_DEFINED+0x1", failed: nil)
        var memory = PINMemory()
        memory.noteOperation(unjudged, request)
        let next = try LoginScript(request: request, purpose: .operation, memory: memory).run()
        #expect(next == .init(steps: ["look"], outcome: unjudged, wasSent: false))
        #expect(try LoginScript(request: request, memory: memory).run().outcome == .loggedIn)
    }
}

@Suite("All ways through a login")
struct LoginExhaustionTests {
    /// The rules as the fault catalogue has them (P2, P7, P8), written down once more.
    private static func maySend(_ script: LoginScript, _ pin: String) -> Bool {
        let last: TokenFlags = script.flags.last ?? []
        let isWatched =
            switch script.request.source {
            case .file, .credential: true
            case .typed, .protected: script.request.isFromLogin
            }
        for flags in script.flags {
            if flags.rawValue & 0x000E_0000 != 0 || flags.rawValue & 0x8 == 0 { return false }
            if isWatched, flags.rawValue & 0x0001_0000 != 0 { return false }
        }
        if script.request.source == .protected { return last.rawValue & 0x100 != 0 }
        return !["", "12", "VERIFY_NONE", "12\t456"].contains(pin)
    }

    @Test(
        "A PIN is sent once at most, after a look, and never against a rule",
        arguments: [LoginAttempt.Purpose.token, .operation])
    func all(purpose: LoginAttempt.Purpose) throws {
        let states: [UInt64] = [0, 0x1_0000, 0x2_0000, 0x4_0000, 0x8_0000, 0x100].flatMap { [$0 | 0x404, $0 | 0x40C] }
        let sources: [LoginRequest.Source] = [.typed, .file(path: "/pin"), .credential(path: "/pin"), .protected]
        let answers: [ReturnValue?] = [nil, code(0xA0), code(0xA3), code(0x32), code(0x8000_0001)]
        for first in states {
            for second in states {
                for source in sources {
                    for pin in ["123456", "", "12", "VERIFY_NONE", "12\t456"] {
                        for refused in [[], [failedPIN()]] {
                            for isKnown in [false, true] {
                                let script = LoginScript(
                                    request: login(source, refused: refused), purpose: purpose,
                                    flags: [first, second].map { TokenFlags(rawValue: $0) },
                                    pin: pin.isEmpty ? .failure(.empty) : .success(pin), mayBeRefused: isKnown,
                                    answer: answers[Int(first ^ second) % answers.count])
                                try Self.check(script, pin)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func check(_ script: LoginScript, _ pin: String) throws {
        let run = try script.run()
        let isSent = run.steps.contains("send")
        #expect(run.steps.filter { $0 == "send" }.count <= 1)
        #expect(run.steps.first == "look" && run.steps.count <= 6)
        guard isSent else { return #expect(!run.wasSent) }
        let looks = run.steps.filter { $0 == "look" }.count
        var seen = script
        seen.flags = Array(script.flags.prefix(looks))
        let isTaken = script.purpose == .operation && script.request.source == .typed
        #expect(maySend(seen, isTaken ? "123456" : pin), "\(script)")
        if script.request.source != .protected, !script.request.refused.isEmpty {
            #expect(!script.mayBeRefused, "\(script)")
            #expect(looks == 2, "the comparison takes time, so that the flags are read after it")
        }
    }
}
