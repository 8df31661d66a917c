import SignatureSchemes
import Testing
import TokenService

@testable import Tokens

@Suite("Which calls another worker is asked")
struct WorkerCallTests {
    private static let calls: [WorkerHost.CallKind] = [.look, .login, .signature, .signatureWithNewPIN, .other]

    @Test("What no worker has seen whole goes to another", arguments: calls)
    func unsent(call: WorkerHost.CallKind) {
        for cause in [WorkerLoss.Cause.ended("it exited"), .othersDeadline, .stopped] {
            #expect(call.mayBeSentAgain(after: WorkerLoss(cause: cause, wasSent: false)))
        }
    }

    @Test("A PIN that no token has judged is not sent twice, and nothing is that has had its own time")
    func sent() {
        let again = { (cause: WorkerLoss.Cause) in
            Self.calls.filter { $0.mayBeSentAgain(after: WorkerLoss(cause: cause)) }
        }
        #expect(again(.othersDeadline) == [.look, .signature, .other])
        #expect(again(.ended("it exited")) == [.look])
        #expect(again(.deadline(milliseconds: 1)) == [])
        #expect(again(.stopped) == [])
    }

    @Test("A request for a signature says nothing of its PIN: it is taken for a new one")
    func signature() {
        let token = TokenReference(
            slotID: 1, token: .init(label: [], manufacturer: [], model: [], serial: []))
        let request = SignRequest(
            token: token, keyID: [], publicHalf: nil, scheme: SignatureScheme(.ecdsa, .sha256), message: [], digest: [])
        #expect(WorkerHost.CallKind(.sign(request)) == .signatureWithNewPIN)
    }
}
