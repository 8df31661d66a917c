package import AgentAPI
import ModuleFiles
package import PKCS11URI
package import TokenService

/// A token as the agent found it, and where.
package struct FoundToken: Sendable {
    var module: ModuleIdentity
    /// What the module is called where people look, see `ModuleNames`.
    package var shownModule: String
    /// The name under which p11-kit has the module, where the configuration says so.
    var moduleName: String?
    var library: ModuleReport?
    package var snapshot: TokenSnapshot
    package var isLocked: Bool
    package var isBlocked: Bool
    package var pinSource: TokenRule.PINSource?
    package var rule: TokenRule?
    /// When the login of a typed PIN ends, in milliseconds of boot time.
    package var loginEnds: Int64?
    /// What the token waits for just now.
    package var awaited: AwaitedGestures.Place?
    /// The token has been sent a PIN that may have cost a try, and tells nothing of its count.
    package var hidesCount = false
    /// The URI that means this token: it names the module as well where another one shows such a token.
    package var uri: PKCS11URI
    /// The URI that the caller means it by, where that names a module.
    var meantBy: PKCS11URI?

    package var key: TokenKey { TokenKey(module: module, token: snapshot.token) }

    /// What URIs are held against.
    package var located: LocatedToken {
        snapshot.located(in: ModuleDescription(name: moduleName, path: module.path, library: library?.library))
    }

    /// The same token as a URI means it that matches it.
    package func meant(by uri: PKCS11URI) -> FoundToken {
        var token = self
        token.meantBy = uri.namesModule ? uri : nil
        return token
    }

    package var hasStoredPIN: Bool {
        switch pinSource {
        case .file?, .credential?: true
        case .prompt?, .protected?, nil: false
        }
    }

    /// Whether the token hides objects and refuses signatures as it is.
    package var needsLogin: Bool { snapshot.flags.contains(.loginRequired) && !snapshot.isLoggedIn }
}

/// A module as the agent found it.
package struct FoundModule: Sendable {
    /// What it is called where people look, see `ModuleNames`.
    package var name: String
    package var failure: String?
    /// The failure where it passes by itself: what the module's tokens have is not known until then.
    package var outage: Problem?
}

/// All modules and tokens at one moment.
package struct Survey: Sendable {
    package var modules: [FoundModule]
    package var tokens: [FoundToken]
}

extension Tokens {
    /// Asks every module at the same time. One that fails or hangs costs its own tokens and its deadline.
    package func survey() async -> Survey {
        await modulesFound()
        return await survey(of: hosts)
    }

    /// The same for the one module that shows this token: the others may hang.
    package func survey(ofModuleOf token: FoundToken) async -> Survey {
        await survey(of: hosts.filter { $0.identity == token.module })
    }

    func survey(of hosts: [ModuleHost]) async -> Survey {
        let look = sightings.begin()
        let found = await withTaskGroup(of: (Int, ModuleSighting, Problem?).self) { group in
            for (index, host) in hosts.enumerated() {
                group.addTask {
                    let (sight, outage) = await self.look(at: host, look)
                    return (index, sight, outage)
                }
            }
            var found: [Int: (ModuleSighting, Problem?)] = [:]
            for await (index, sight, outage) in group { found[index] = (sight, outage) }
            return found
        }
        let names = ModuleNames(self.hosts)
        var survey = Survey(
            modules: unusable.map { FoundModule(name: $0.name, failure: $0.reason, outage: $0.outage) }, tokens: [])
        for (index, host) in hosts.enumerated() {
            guard let (sight, outage) = found[index] else { continue }
            let name = names.name(of: host)
            survey.modules.append(FoundModule(name: name, failure: sight.failure?.reason, outage: outage))
            let library = await host.report
            survey.tokens += sight.tokens.map { describe($0, host, named: name, library) }
        }
        for (index, uri) in survey.tokens.map(\.located).uris.enumerated() {
            survey.tokens[index].uri = uri
            locations[survey.tokens[index].key] = survey.tokens[index].located
            survey.tokens[index].hidesCount = ledger.hidesCount(survey.tokens[index].key)
        }
        let present = sightings.present
        locations = locations.filter { present[$0.key] != nil }
        return survey
    }

    /// Looks at one module, and notes what it shows as soon as it does: the others may take long.
    private func look(at host: ModuleHost, _ look: UInt64) async -> (ModuleSighting, outage: Problem?) {
        let sight = await list(host, look)
        var outage: Problem?
        if let failure = sight.failure {
            if failure.passes { outage = failure.problem(doing: "listing tokens") }
        } else if await host.usesCardReaders {
            outage = await busyCard(seen: sight.tokens.count)
        }
        // What a cancelled task has left early, or a host that a reload has ended, shows nothing to go by.
        guard !Task.isCancelled, hosts.contains(where: { $0 === host }) else { return (sight, outage) }
        let change = sightings.note(
            Set(sight.tokens.map { TokenSighting($0, of: host.identity) }), of: host.identity, look: look,
            isAnswer: sight.failure == nil && outage == nil)
        if change.isNews {
            log.info("tokens have changed", metadata: ["module": "\(host.path)", "tokens": "\(sight.tokens.count)"])
            changed.yield()
        }
        if !change.removed.isEmpty { removal.yield(change.removed) }
        return (sight, outage)
    }

    private func describe(
        _ snapshot: TokenSnapshot, _ host: ModuleHost, named name: String, _ library: ModuleReport?
    ) -> FoundToken {
        let key = TokenKey(module: host.identity, token: snapshot.token)
        ledger.noteSeen(key, snapshot.flags)
        let isBlocked = ledger.isBlocked(key) || snapshot.flags.contains(.userPINLocked)
        var found = FoundToken(
            module: host.identity, shownModule: name, moduleName: host.configuration.name, library: library,
            snapshot: snapshot, isLocked: ledger.isLocked(key),
            isBlocked: isBlocked, loginEnds: ledger.loginEnds(key), awaited: awaited.place(of: key),
            uri: PKCS11URI(token: snapshot.token))
        found.rule = rule(for: found.located)
        found.pinSource = found.rule?.pinSource
        return found
    }

    /// Several modules show a token of this description, and no URI says which of them is meant, the rule's or the one that
    /// the caller means it by: any of them would get the other's PIN.
    func ambiguity(of token: FoundToken, _ rule: TokenRule?) -> LoginFailure? {
        let uri = PKCS11URI(token: token.snapshot.token)
        let others = sightings.present.keys.filter { $0.module != token.module && uri.matches(LocatedToken($0.token)) }
        guard !others.isEmpty else { return nil }
        let shown = [token.located] + others.map { locations[$0] ?? LocatedToken($0.token) }
        let naming = [token.meantBy, rule?.uri].compactMap(\.self).filter(\.namesModule)
        guard !naming.contains(where: { uri in shown.count { uri.matches($0) } == 1 }) else { return nil }
        return .ambiguous(shown.uris.sorted { $0.description < $1.description })
    }

    /// The first PIN rule whose URI matches the token.
    func rule(for token: LocatedToken) -> TokenRule? { rules.first { $0.uri.matches(token) } }
}

extension ModuleReport {
    /// Nil where the module has not told its version, and so nothing else.
    var library: LibraryDescription? {
        LibraryVersion(version).map {
            LibraryDescription(manufacturer: manufacturer, description: description, version: $0)
        }
    }
}

extension LibraryVersion {
    /// Reads `3.0`.
    fileprivate init?(_ text: String) {
        let parts = text.split(separator: ".").map { UInt8($0) }
        guard parts.count == 2, let major = parts[0], let minor = parts[1] else { return nil }
        self.init(major: major, minor: minor)
    }
}

/// What modules are called where people look: their paths, and where two have one library what sets them apart.
struct ModuleNames {
    private let paths: [String: Int]

    init(_ hosts: [ModuleHost]) { paths = hosts.reduce(into: [:]) { $0[$1.path, default: 0] += 1 } }

    func name(of host: ModuleHost) -> String {
        guard paths[host.path, default: 0] > 1 else { return host.path }
        return "\(host.path) (\(host.configuration.name ?? host.configuration.settings))"
    }
}

extension ModuleConfiguration {
    /// Its variables and its init string, in one line.
    fileprivate var settings: String {
        (environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" } + [initArguments].compactMap(\.self))
            .joined(separator: " ")
    }
}
