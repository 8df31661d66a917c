import Clocks
import Testing
import TokenService

@testable import Tokens

struct UnsentRequestTests {
    private static let causes: [WorkerLoss.Cause] = [
        .ended("it was ended by signal 11"), .killed, .deadline(milliseconds: 15_000), .othersDeadline, .stopped,
    ]

    @Test("A PIN is in doubt where its worker was lost with it, and not where it was never sent", arguments: causes)
    func doubt(_ cause: WorkerLoss.Cause) {
        let failure = ModuleFailure.lost(WorkerLoss(cause: cause))
        #expect(Result<LoginOutcome, ModuleFailure>.failure(failure).leavesPINInDoubt)
        #expect(!Result<LoginOutcome, ModuleFailure>.failure(failure.unsent).leavesPINInDoubt)
    }

    @Test("A worker that is gone was sent nothing")
    func gone() async throws {
        let worker = try WorkerProcess(WorkerStart.Program(executable: "/bin/true", environment: [:]) { _ in })
        let clock = AgentClock.system
        // Returns when the process has ended, if not before.
        _ = await worker.ask(.presence, deadline: 5000, clock: clock)
        guard case .failure(let loss) = await worker.ask(.presence, deadline: 5000, clock: clock) else {
            Issue.record("it has answered")
            return
        }
        #expect(!loss.wasSent)
    }
}
