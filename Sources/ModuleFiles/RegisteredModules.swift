package import TokenService

/// The modules that p11-kit has registered, by its last answer.
package struct RegisteredModules: Sendable {
    /// Nil until p11-kit has answered once.
    package private(set) var last: [RegisteredModule]?
    /// Why it did not answer when it was asked last.
    package private(set) var failure: RegistryFailure?

    package init() {}

    /// A failure leaves the last good list in force.
    package mutating func note(_ answer: Result<[RegisteredModule], RegistryFailure>) {
        switch answer {
        case .success(let modules):
            last = modules.sorted { $0.name < $1.name }
            failure = nil
        case .failure(let new): failure = new
        }
    }

    /// What stands for an empty configuration: every module but those that hold trust anchors alone, and those that run in
    /// another process, see `notices`.
    package var configurations: [ModuleConfiguration] {
        usable.filter { $0.path != nil }.map { ModuleConfiguration(location: .name($0.name)) }
    }

    /// The module as it is to be run, and its library.
    package func found(_ module: ModuleConfiguration) -> Result<(ModuleConfiguration, path: String), UnusableModule> {
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
    package var unusable: UnusableModule? { last == nil ? unavailable("p11-kit") : nil }

    /// What `status` says of the list, where p11-kit chooses the modules.
    package var notices: [String] {
        let old = "the registered modules are those of an earlier look: "
        let remote = usable.filter { $0.path == nil }.map { "\($0.name): \(Self.remote)" }
        return [last == nil ? nil : failure.map { old + $0.reason }].compactMap(\.self) + remote
    }

    private var usable: [RegisteredModule] { (last ?? []).filter { !$0.isTrusted } }

    private func unavailable(_ name: String) -> UnusableModule? {
        failure.map { UnusableModule(name: name, reason: $0.reason, passes: true) }
    }

    private static let remote =
        "p11-kit runs it in another process (remote:), which no worker may start; "
        + "for a server's socket write a [[module]] with p11-kit-client.so and P11_KIT_SERVER_ADDRESS"
}

/// Why p11-kit has not said which modules it has registered.
package struct RegistryFailure: Error, Hashable, Sendable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// A module that has no worker, and one line that says why.
package struct UnusableModule: Error, Hashable, Sendable {
    package var name: String
    package var reason: String
    /// Whether it passes by itself: which tokens there are is not known until then.
    package var passes = false
}
