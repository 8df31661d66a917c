import AgentAPI
import Clocks
import Logging
import ModuleFiles
import TokenService

extension Tokens.Setting {
    /// How long p11-kit may take, in milliseconds: it reads a few small files.
    private static let registryDeadline: Int64 = 5000

    /// Has a worker ask p11-kit, and ends it. The worker loads no module.
    func registeredModules(clock: AgentClock, log: Logger) async -> Result<[RegisteredModule], RegistryFailure> {
        // What leads p11-kit to the user's files. The system agent has no user.
        let user = home.map { ["HOME": $0, "XDG_CONFIG_HOME": configHome].compactMapValues(\.self) }
        let output = WorkerOutput(module: "p11-kit", log: log)
        do throws(WorkerLoss) {
            let worker = try workers.start(
                WorkerStart.Program(
                    executable: workerExecutable, environment: user ?? ["P11_KIT_NO_USER_CONFIG": "1"],
                    output: { output.note($0) }))
            defer { worker.kill(.stopped) }
            switch try await worker.ask(.registeredModules, deadline: Self.registryDeadline, clock: clock).get() {
            case .registeredModules(let modules): return .success(modules)
            case .failed(let failure): return .failure(RegistryFailure(failure.text))
            default: return .failure(RegistryFailure(ModuleFailure.confused.reason))
            }
        } catch {
            guard case .deadline = error.cause else {
                return .failure(RegistryFailure("the process that asks p11-kit is gone: \(error)"))
            }
            return .failure(
                RegistryFailure(
                    "p11-kit does not come back from reading its configuration; "
                        + "check the files of 'p11-kit list-modules'"))
        }
    }
}

extension UnusableModule {
    /// What is told instead of "no such token" while the module is out of reach.
    var outage: Problem? {
        guard passes else { return nil }
        return Problem(
            .moduleFailed, "listing tokens: \(reason, .reason)",
            hint: "see 'tokenward status'; p11-kit is asked again by itself", retryAfter: 30)
    }
}
