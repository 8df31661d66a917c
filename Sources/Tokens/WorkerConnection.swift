import Clocks
import Glibc
import TokenService

/// A worker that runs, and can be asked: a process, or in tests one that follows a script.
protocol WorkerConnection: AnyObject, Sendable {
    var processID: pid_t { get }

    /// Asks, and waits for the answer or the worker's end; past the deadline the worker is killed, because nothing else
    /// ends a call into a module.
    ///
    /// - Parameters:
    ///   - deadline: In milliseconds.
    ///   - permit: Asked in the one step in which the request is sent; one that is revoked leaves it unsent.
    ///   - mayExpire: Asked at the deadline; if it says no, the call has that time once more.
    nonisolated(nonsending) func ask(
        _ request: Request, secret: HeldPIN?, permit: CallPermit?, deadline: Int64,
        mayExpire: @escaping @Sendable () -> Bool, clock: AgentClock
    ) async -> Result<Reply, WorkerLoss>

    /// Ends the worker now. Calls that wait for it fail with this cause.
    func kill(_ cause: WorkerLoss.Cause)
}

extension WorkerConnection {
    nonisolated(nonsending) func ask(
        _ request: Request, deadline: Int64, clock: AgentClock
    ) async -> Result<Reply, WorkerLoss> {
        await ask(request, secret: nil, permit: nil, deadline: deadline, mayExpire: { true }, clock: clock)
    }
}
