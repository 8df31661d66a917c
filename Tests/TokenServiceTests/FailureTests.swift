import Testing
import TokenService

@Suite("What a failure says of another attempt")
struct FailureTests {
    @Test(
        "Each kind says what another attempt needs",
        arguments: [
            (.broken, .newWorker), (.nonsense, .newWorker), (.notLoggedIn, .login), (.gesture, .person),
            (.busy, .pause),
            (.tokenGone, .token), (.function, .change), (.notLoaded, .change), (.keyNotFound, .change),
            (.mechanism, .change), (.protocol, .change), (.forbidden, .change),
        ] as [(WorkerFailure.Kind, WorkerFailure.Retry)])
    func retries(kind: WorkerFailure.Kind, retry: WorkerFailure.Retry) {
        #expect(WorkerFailure(kind, text: "").retry == retry)
    }

    @Test("A refusal that does not judge the PIN leaves it in doubt, and nothing else does") func doubt() {
        let failed = FailedPIN(salt: [UInt8](repeating: 1, count: 16), hash: [UInt8](repeating: 2, count: 32))
        #expect(LoginOutcome.rejected(returnValue: 0x8000_0001, name: "", failed: nil).leavesPINInDoubt)
        #expect(!LoginOutcome.rejected(returnValue: 0xA0, name: "", failed: failed).leavesPINInDoubt)
        for outcome in [LoginOutcome.loggedIn, .notNeeded, .refused(.knownWrong)] { #expect(!outcome.leavesPINInDoubt) }
    }

    @Test("A PIN in a file or a credential is stored; one that a person gives is not") func stored() {
        #expect(
            LoginRequest.Source.file(path: "/a").file == "/a" && LoginRequest.Source.credential(path: "/b").file == "/b"
        )
        #expect(!LoginRequest.Source.typed.isStored && !LoginRequest.Source.protected.isStored)
        #expect(LoginRequest.Source.file(path: "").isStored)
    }
}
