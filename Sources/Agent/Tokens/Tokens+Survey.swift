import PKCS11URI
import TokenService

/// A token as the agent found it, and where.
struct FoundToken: Sendable {
    var module: String
    var snapshot: TokenSnapshot
    var isLocked: Bool
    var isBlocked: Bool
    var pinSource: TokenRule.PINSource?

    var key: TokenKey { TokenKey(module: module, token: snapshot.token) }

    /// Whether a login needs a person, or has been refused.
    var needsLogin: Bool { snapshot.flags.contains(.loginRequired) && !snapshot.isLoggedIn }
}

/// A module as the agent found it.
struct FoundModule: Sendable {
    var name: String
    var processID: Int32?
    var failure: String?
}

/// All modules and tokens at one moment.
struct Survey: Sendable {
    var modules: [FoundModule]
    var tokens: [FoundToken]
}

extension Tokens {
    /// Asks every module at the same time. One that fails or hangs costs its own tokens and its deadline.
    func survey() async -> Survey {
        let hosts = self.hosts
        let found = await withTaskGroup(of: (Int, Result<[TokenSnapshot], ModuleFailure>, Int32?).self) { group in
            for (index, host) in hosts.enumerated() {
                group.addTask { (index, await host.tokens(), await host.processID) }
            }
            var found: [Int: (Result<[TokenSnapshot], ModuleFailure>, Int32?)] = [:]
            for await (index, tokens, processID) in group { found[index] = (tokens, processID) }
            return found
        }
        var survey = Survey(
            modules: unusable.map { FoundModule(name: $0.name, processID: nil, failure: $0.reason) }, tokens: [])
        for (index, host) in hosts.enumerated() {
            guard let (result, processID) = found[index] else { continue }
            var module = FoundModule(name: host.path, processID: processID, failure: nil)
            switch result {
            case .success(let snapshots): survey.tokens += snapshots.map { describe($0, module: host.path) }
            case .failure(let failure): module.failure = failure.problem(doing: "listing tokens").detail
            }
            survey.modules.append(module)
        }
        return survey
    }

    private func describe(_ snapshot: TokenSnapshot, module: String) -> FoundToken {
        let key = TokenKey(module: module, token: snapshot.token)
        let isBlocked = access[key]?.refusal == .blocked || snapshot.flags.contains(.userPINLocked)
        return FoundToken(
            module: module, snapshot: snapshot, isLocked: locks.contains(key), isBlocked: isBlocked,
            pinSource: rule(for: snapshot)?.pinSource)
    }

    /// The first PIN rule whose URI matches the token.
    func rule(for snapshot: TokenSnapshot) -> TokenRule? {
        rules.first { $0.uri.matches(token: snapshot.token) }
    }
}
