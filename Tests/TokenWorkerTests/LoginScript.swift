import LockedMemory
import PKCS11
import TokenService

@testable import TokenWorker

/// What a token, a file and a person do while a login is attempted.
struct LoginScript {
    var request = login()
    var purpose = LoginAttempt.Purpose.token
    var memory = PINMemory()
    var rest: Int64 = 0
    /// At the first look and at those after it.
    var flags: [TokenFlags] = [.good]
    var lengths = 4...8
    var pin: Result<String, PINError> = .success("123456")
    /// What the comparison with refused PINs finds.
    var mayBeRefused = false
    /// C_Login's; nil for CKR_OK.
    var answer: ReturnValue?

    struct Run: Equatable {
        /// The steps that were taken, in order.
        var steps: [String]
        /// Nil where the attempt threw.
        var outcome: LoginOutcome?
        var wasSent: Bool
    }

    func run() throws -> Run {
        var attempt = LoginAttempt(request, for: purpose, memory, rest: rest)
        var steps: [String] = []
        var looks = flags
        while true {
            switch attempt.step {
            case .look:
                steps.append("look")
                attempt.note(flags: looks.count > 1 ? looks.removeFirst() : looks[0], lengths: lengths)
            case .rest(let milliseconds):
                steps.append("rest \(milliseconds)")
                attempt.noteRest()
            case .fetchPIN:
                steps.append("fetch")
                switch pin {
                case .success(let text): attempt.note(pin: .success(PINShape(try held(text).pin)))
                case .failure(let error): attempt.note(pin: .failure(error))
                }
            case .compare:
                steps.append("compare")
                attempt.note(mayBeRefused: mayBeRefused)
            case .send:
                steps.append("send")
                do throws(PKCS11Error) {
                    try attempt.note(answer: answer.map { .failed(.logIn, $0) })
                } catch {
                    return Run(steps: steps, outcome: nil, wasSent: attempt.wasSent)
                }
            case .logOut:
                steps.append("log out")
                attempt.noteLogout()
            case .end(let outcome): return Run(steps: steps, outcome: outcome, wasSent: attempt.wasSent)
            }
        }
    }
}
