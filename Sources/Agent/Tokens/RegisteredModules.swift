import AgentAPI
import TokenService

/// The modules that p11-kit has registered, by its last answer.
struct RegisteredModules: Sendable {
    /// Nil until p11-kit has answered once.
    private(set) var last: [RegisteredModule]?
    /// Why it did not answer when it was asked last.
    private(set) var trouble: ModuleFailure?

    /// A failure leaves the last good list in force.
    mutating func note(_ answer: Result<[RegisteredModule], ModuleFailure>) {
        switch answer {
        case .success(let modules):
            last = modules.sorted { $0.name < $1.name }
            trouble = nil
        case .failure(let failure): trouble = failure
        }
    }

    /// What stands for an empty configuration: every module but those that hold trust anchors alone, and those that run in
    /// another process, see `notices`.
    var configurations: [ModuleConfiguration] {
        usable.filter { $0.path != nil }.map { ModuleConfiguration(location: .name($0.name)) }
    }

    /// The module as it is to be run, and its library.
    func found(_ module: ModuleConfiguration) -> Result<(ModuleConfiguration, path: String), UnusableModule> {
        let name: String
        switch module.location {
        case .path(let path): return .success((module, path))
        case .name(let registered): name = registered
        }
        guard let last else {
            return .failure(unavailable(name) ?? UnusableModule(name: name, reason: "p11-kit has not been asked yet"))
        }
        guard let found = last.first(where: { $0.name == name }) else {
            let known = usable.map(\.name).joined(separator: ", ")
            return .failure(
                UnusableModule(
                    name: name, reason: "p11-kit has no module of this name for tokenward-worker; it has: \(known)"))
        }
        guard let path = found.path else {
            return .failure(UnusableModule(name: name, reason: Self.remote))
        }
        var module = module
        module.initArguments = module.initArguments ?? found.initArguments
        return .success((module, path))
    }

    /// What stands where the list would, if there was none yet and `configurations` were wanted.
    var unusable: UnusableModule? { last == nil ? unavailable("p11-kit") : nil }

    /// What `status` says of the list, where p11-kit chooses the modules.
    var notices: [String] {
        let old = last == nil ? nil : reason.map { "the registered modules are those of an earlier look: \($0)" }
        return [old].compactMap(\.self) + usable.filter { $0.path == nil }.map { "\($0.name): \(Self.remote)" }
    }

    private var usable: [RegisteredModule] { (last ?? []).filter { !$0.isTrusted } }

    private func unavailable(_ name: String) -> UnusableModule? {
        reason.map { reason in
            UnusableModule(
                name: name, reason: reason,
                outage: Problem(
                    .moduleFailed, "listing tokens: \(reason)",
                    hint: "see 'tokenward status'; p11-kit is asked again by itself",
                    retryAfter: 30))
        }
    }

    private var reason: String? {
        guard case .lost(let loss)? = trouble else { return trouble?.reason }
        if case .deadline = loss.cause {
            return
                "p11-kit does not come back from reading its configuration; check the files of 'p11-kit list-modules'"
        }
        return "the process that asks p11-kit is gone: \(loss)"
    }

    private static let remote =
        "p11-kit runs it in another process (remote:), which no worker may start; "
        + "for a server's socket write a [[module]] with p11-kit-client.so and P11_KIT_SERVER_ADDRESS"
}

/// A module that has no worker, and one line that says why.
struct UnusableModule: Error, Hashable, Sendable {
    var name: String
    var reason: String
    /// The same where it passes by itself: which tokens there are is not known until then.
    var outage: Problem?
}

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
        [RegisteredModule], ModuleFailure
    > {
        do throws(WorkerLoss) {
            let worker = try start.start(
                WorkerStart.Program(executable: executable, environment: environment, output: output))
            defer { worker.kill(.stopped) }
            switch try await worker.ask(.registeredModules, deadline: Self.deadline, clock: clock).get() {
            case .registeredModules(let modules): return .success(modules)
            case .failed(let failure): return .failure(.unavailable(failure.text))
            default: return .failure(.confused)
            }
        } catch {
            return .failure(.lost(error))
        }
    }

    private var environment: [String: String] {
        guard let home else { return ["P11_KIT_NO_USER_CONFIG": "1"] }
        return ["HOME": home, "XDG_CONFIG_HOME": configHome].compactMapValues(\.self)
    }
}
