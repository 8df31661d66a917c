import PKCS11
import Testing
import TokenService

@testable import TokenWorker

/// A token, its stored PIN, a person and an agent at random, for what one worker sends. The agent's list of refused PINs is
/// as old as the request: it does not know yet what others on their way have found out.
@Suite("What a worker sends, at random")
struct PINGuardModelTests {
    private struct World {
        var random: SplitMix
        var memory = PINMemory()
        /// What the token takes, and what is in the file.
        var right: UInt8 = 1
        var stored: UInt8 = 1
        /// What the agent has been told.
        var known: [FailedPIN] = []
        /// Whether the agent has been told of an answer that judged nothing: then it sends no stored PIN by itself.
        var isInDoubt = false
        /// What the token has judged wrong since it last took a PIN: none of it may be sent again.
        var wrong: Set<UInt8> = []
        /// A stored PIN was sent and not judged, and no person has looked since.
        var isUnjudged = false
        var sent = 0
        var faults: [String] = []

        /// The hash stands for the PIN; scrypt has tests of its own.
        static func failed(_ pin: UInt8) -> FailedPIN { failedPIN(pin) }

        mutating func step() throws {
            switch random.next() % 10 {
            case 0: stored = UInt8(1 + random.next() % 4)
            case 1: right = UInt8(1 + random.next() % 4)
            case 2: memory.wipe(nil)
            case 3: try person()
            default: try flight()
            }
        }

        /// A person types a PIN that has not been refused, or has the stored one sent: what ends a doubt.
        private mutating func person() throws {
            let isStored = random.next() % 2 == 0
            isInDoubt = false
            isUnjudged = false
            let pin = isStored ? stored : UInt8(1 + random.next() % 4)
            let request = login(isStored ? .file(path: "/pin") : .typed, refused: known)
            var attempt = LoginAttempt(request, for: .token, memory)
            let outcome = try carryOut(&attempt, pin, isStored: isStored)
            memory.noteLogin(outcome, to: request, wasSent: attempt.wasSent, pin: nil)
            learn(outcome, isStored: isStored)
        }

        /// Signatures that were asked for at the same time, of a key that wants its PIN each time.
        private mutating func flight() throws {
            guard !isInDoubt else { return }
            let request = login(.file(path: "/pin"), refused: known)
            var outcomes: [LoginOutcome] = []
            for _ in 0...(random.next() % 4) {
                var attempt = LoginAttempt(request, for: .operation, memory)
                let outcome = try carryOut(&attempt, stored, isStored: true)
                memory.noteOperation(outcome, request)
                outcomes.append(outcome)
            }
            for outcome in outcomes { learn(outcome, isStored: true) }
        }

        private mutating func learn(_ outcome: LoginOutcome, isStored: Bool) {
            switch outcome {
            case .loggedIn where isStored: known = []
            case .rejected(_, _, let failed?, _): known.append(failed)
            case .rejected: isInDoubt = true
            default: break
            }
        }

        private mutating func carryOut(
            _ attempt: inout LoginAttempt, _ pin: UInt8, isStored: Bool
        ) throws -> LoginOutcome {
            while true {
                switch attempt.step {
                case .look: attempt.note(flags: .good, lengths: 4...8)
                case .rest: attempt.noteRest()
                case .fetchPIN: attempt.note(pin: .success(PINShape(try held("12345\(pin)").pin)))
                case .compare: attempt.note(mayBeRefused: attempt.request.refused.contains(Self.failed(pin)))
                case .send: try attempt.note(answer: answer(to: pin, isStored: isStored))
                case .logOut: attempt.noteLogout()
                case .end(.rejected(0xA0, let name, _, _)):
                    return .rejected(returnValue: 0xA0, name: name, failed: Self.failed(pin))
                case .end(let outcome): return outcome
                }
            }
        }

        private mutating func answer(to pin: UInt8, isStored: Bool) -> PKCS11Error? {
            sent += 1
            if wrong.contains(pin) { faults.append("\(pin) was sent again") }
            if isUnjudged, isStored { faults.append("\(pin) was sent though nothing had judged the last one") }
            if random.next() % 8 == 0 {
                isUnjudged = isStored
                return .failed(.logIn, code(0x8000_0001))
            }
            guard pin == right else {
                wrong.insert(pin)
                return .failed(.logIn, code(0xA0))
            }
            if isStored { wrong = [] }
            return nil
        }
    }

    /// SplitMix64, so that a fault can be seen again by its seed.
    private struct SplitMix {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test(
        "A PIN that the token has judged wrong is not sent again, nor a stored one after an answer that judged nothing")
    func worlds() throws {
        var sent = 0
        for seed in 0..<2000 as Range<UInt64> {
            var world = World(random: SplitMix(state: seed))
            for _ in 0..<40 where world.faults.isEmpty { try world.step() }
            try #require(world.faults.isEmpty, "seed \(seed): \(world.faults)")
            sent += world.sent
        }
        #expect(sent > 20_000, "what is never sent proves nothing")
    }
}
