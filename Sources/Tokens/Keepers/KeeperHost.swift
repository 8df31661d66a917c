import Clocks
import KeeperService
import Synchronization
import TokenService

/// The keeper of one management command: a process of the token's module with a login of its own, which ends with the
/// command. Unlike a worker it is not started again when it has died: its login is gone then.
final class KeeperHost: Sendable {
    private let connection: any WorkerConnection
    private let launch: WorkerLaunch
    /// What the library says of itself.
    let report: ModuleReport
    private let mayHaveChanged = Mutex(false)

    /// Starts the process and has it load the module.
    init(_ launch: WorkerLaunch) async throws(ModuleFailure) {
        let load = try await launch.load()
        let started: any WorkerConnection
        do throws(WorkerLoss) {
            started = try launch.worker()
        } catch {
            guard case .notStarted = error.cause else { throw .lost(error) }
            throw .unavailable("\(launch.executable) \(error); install it beside tokenward-agent")
        }
        connection = started
        self.launch = launch
        switch await started.ask(load, deadline: launch.deadlines.load, clock: launch.clock) {
        case .success(.loaded(let report)): self.report = report
        case .success(let reply):
            started.kill(.stopped)
            if case .failed(let failure) = reply { throw .unavailable(failure.text) }
            throw .confused
        case .failure(let loss): throw .lost(loss)
        }
    }

    func logIn(
        _ request: LoginRequest, pin: HeldPIN?, permit: CallPermit
    ) async -> Result<LoginOutcome, ModuleFailure> {
        let deadline = request.source == .protected ? launch.deadlines.keypad : launch.deadlines.logIn
        let answer = await connection.ask(
            .logIn(request), secret: pin, permit: permit, deadline: deadline, mayExpire: { true }, clock: launch.clock)
        return Self.read(answer).flatMap { reply in
            guard case .login(let outcome) = reply else { return .failure(.confused) }
            return .success(outcome)
        }
    }

    /// What the token shows to this process, which is logged in.
    func look(at token: TokenReference) async -> Result<[TokenSnapshot], ModuleFailure> {
        let answer = await connection.ask(.list(.one(token)), deadline: launch.deadlines.list, clock: launch.clock)
        return Self.read(answer).flatMap { reply in
            guard case .tokens(let tokens) = reply else { return .failure(.confused) }
            return .success(tokens)
        }
    }

    /// - Parameter permit: A request whose permit is revoked is not sent.
    func ask(
        _ request: KeeperRequest, secret: HeldPIN?, permit: CallPermit
    ) async -> Result<KeeperReply, ModuleFailure> {
        if request.makesChanges { mayHaveChanged.withLock { $0 = true } }
        let answer = await connection.ask(
            .management(request.bytes), secret: secret, permit: permit, deadline: launch.deadlines.management,
            mayExpire: { true }, clock: launch.clock)
        return Self.read(answer).flatMap { reply in
            guard case .management(let bytes) = reply, let reply = try? KeeperReply(bytes) else {
                return .failure(.confused)
            }
            return .success(reply)
        }
    }

    /// Whether the token may be another one than before.
    var hasChanged: Bool { mayHaveChanged.withLock(\.self) }

    /// Logs out and ends the process, whatever it is at.
    func end() async {
        _ = await connection.ask(.logOut(nil), deadline: launch.deadlines.logOut, clock: launch.clock)
        connection.kill(.stopped)
    }

    private static func read(_ answer: Result<Reply, WorkerLoss>) -> Result<Reply, ModuleFailure> {
        switch answer {
        case .failure(let loss): .failure(.lost(loss))
        case .success(.failed(let failure)): .failure(.refused(failure))
        case .success(let reply): .success(reply)
        }
    }
}
