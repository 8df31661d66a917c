import Clocks
import Files
import Glibc
import ModuleFiles
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
    func ask(
        _ request: Request, secret: HeldPIN?, permit: CallPermit?, deadline: Int64,
        mayExpire: @escaping @Sendable () -> Bool, clock: AgentClock
    ) async -> Result<Reply, WorkerLoss>

    /// Ends the worker now. Whoever waits is told so.
    func kill(_ cause: WorkerLoss.Cause)
}

extension WorkerConnection {
    func ask(_ request: Request, deadline: Int64, clock: AgentClock) async -> Result<Reply, WorkerLoss> {
        await ask(request, secret: nil, permit: nil, deadline: deadline, mayExpire: { true }, clock: clock)
    }
}

/// How workers are started, and how files are looked at for them. Each look may wait for a file system.
struct WorkerStart: Sendable {
    /// Finds the module's library, by its real path; loading it runs its constructors.
    var library: @Sendable (_ path: String) async -> Result<String, ModuleFailure>
    /// What makes two modules one, whatever their paths.
    var identity: @Sendable (_ module: ModuleConfiguration, _ path: String) async -> ModuleFile.Identity
    /// The state of the file that a stored PIN is in; nil where it cannot be looked at.
    var stamp: @Sendable (LoginRequest.Source) async -> StoredPINStamp?
    /// Starts a program with exactly this environment. It says which cards it leaves logged in, and what it prints.
    var start: @Sendable (Program) throws(WorkerLoss) -> any WorkerConnection

    struct Program: Sendable {
        var executable: String
        var environment: [String: String]
        var abandonedCards: AbandonedCards?
        var output: @Sendable ([UInt8]) -> Void
    }
}

extension WorkerStart {
    static let processes = WorkerStart(
        library: { path in
            await onOwnThread {
                switch ModuleFile.check(path) {
                case .failure(let problem): .failure(.unavailable(problem.text))
                case .success(let library) where !ModuleFile.namesFunctionList(library):
                    .failure(.unavailable("\(path) is no PKCS#11 module: it has no C_GetFunctionList"))
                case .success(let library): .success(library)
                }
            }
        },
        identity: { module, path in await onOwnThread { ModuleFile.Identity(module, path) } },
        stamp: { source in await onOwnThread { StoredPINStamp(source) } },
        start: { program throws(WorkerLoss) in
            try WorkerProcess(
                executable: program.executable, environment: program.environment,
                abandonedCards: program.abandonedCards, output: program.output)
        })
}

extension ModuleFile.Identity {
    init(_ module: ModuleConfiguration, _ path: String) {
        self.init(path, environment: module.environment, initArguments: module.initArguments)
    }
}
