import AgentAPI
import Clocks
import ModuleFiles
import TokenService

/// Has a worker ask p11-kit, and ends it. The worker loads no module.
struct ModuleRegistry: Sendable {
    var start: WorkerStart
    /// The path of `tokenward-worker`.
    var executable: String
    /// The variables that lead p11-kit to the user's files; none for the system agent, which has no user.
    var home: String?
    var configHome: String?

    /// How long p11-kit may take, in milliseconds: it reads a few small files.
    private static let deadline: Int64 = 5000

    func ask(clock: AgentClock, output: @escaping @Sendable ([UInt8]) -> Void) async -> Result<
        [RegisteredModule], RegistryFailure
    > {
        do throws(WorkerLoss) {
            let worker = try start.start(
                WorkerStart.Program(executable: executable, environment: environment, output: output))
            defer { worker.kill(.stopped) }
            switch try await worker.ask(.registeredModules, deadline: Self.deadline, clock: clock).get() {
            case .registeredModules(let modules): return .success(modules)
            case .failed(let failure): return .failure(RegistryFailure(failure.text))
            default: return .failure(RegistryFailure(ModuleFailure.confused.reason))
            }
        } catch {
            return .failure(Self.lost(error))
        }
    }

    private static func lost(_ loss: WorkerLoss) -> RegistryFailure {
        if case .deadline = loss.cause {
            return RegistryFailure(
                "p11-kit does not come back from reading its configuration; check the files of 'p11-kit list-modules'")
        }
        return RegistryFailure("the process that asks p11-kit is gone: \(loss)")
    }

    private var environment: [String: String] {
        guard let home else { return ["P11_KIT_NO_USER_CONFIG": "1"] }
        return ["HOME": home, "XDG_CONFIG_HOME": configHome].compactMapValues(\.self)
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
