import AgentAPI
import ModuleFiles
import PKCS11URI
package import TokenService

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
        let number = sightings.begin()
        let looks = await withTaskGroup(of: (Int, Look).self) { group in
            for (index, host) in hosts.enumerated() {
                group.addTask { (index, await self.look(at: host, number)) }
            }
            var looks: [Int: Look] = [:]
            for await (index, look) in group { looks[index] = look }
            return looks
        }
        var survey = Survey(
            modules: unusable.map { FoundModule(name: $0.name, failure: $0.reason, outage: $0.outage) }, tokens: [])
        for look in hosts.indices.compactMap({ looks[$0] }) {
            survey.modules.append(look.module)
            survey.tokens += look.tokens.map { describe($0, look) }
        }
        for (index, uri) in survey.tokens.map(\.located).uris.enumerated() { survey.tokens[index].uri = uri }
        return survey
    }

    /// The result of a look at one module.
    private struct Look: Sendable {
        let identity: ModuleIdentity
        let description: ModuleDescription
        let module: FoundModule
        let tokens: [TokenSnapshot]
    }

    /// Looks at one module, and notes at once what it shows: the others may take long.
    private func look(at host: ModuleHost, _ number: UInt64) async -> Look {
        let seen = await list(host)
        var outage: Problem?
        if let failure = seen.failure {
            if failure.passes { outage = failure.problem(doing: "listing tokens") }
        } else if await host.usesCardReaders {
            outage = await busyCard(seen: seen.tokens.count)
        }
        let look = Look(
            identity: host.identity,
            description: ModuleDescription(
                name: host.configuration.name, path: host.path, library: await host.report?.library),
            module: FoundModule(name: name(of: host), failure: seen.failure?.reason, outage: outage),
            tokens: seen.tokens)
        // A task that was cancelled has left early, and a host that a reload has ended shows nothing.
        guard !Task.isCancelled, hosts.contains(where: { $0 === host }) else { return look }
        let change = sightings.note(
            look.tokens, of: look.identity, in: look.description, look: number,
            isAnswer: seen.failure == nil && outage == nil)
        if change.isNews {
            log.info("tokens have changed", metadata: ["module": "\(host.path)", "tokens": "\(look.tokens.count)"])
            changed.yield()
        }
        if !change.removed.isEmpty { removal.yield(change.removed) }
        return look
    }

    /// A module's name for people: its path, and where two have one library, their difference as well.
    private func name(of host: ModuleHost) -> String {
        let module = host.configuration
        guard hosts.count(where: { $0.path == host.path }) > 1 else { return host.path }
        let variables = module.environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        let settings = (variables + [module.initArguments].compactMap(\.self)).joined(separator: " ")
        return "\(host.path) (\(module.name ?? settings))"
    }

    /// The module's tokens, or why they cannot be known: without pcscd a module shows no slots, which does not mean that
    /// there is no token.
    ///
    /// While the module's only token waits for a person, its tokens are those of the last look. Where there are several,
    /// each has a worker, and the host sees to it that none waits for another's.
    private func list(_ host: ModuleHost) async -> ModuleSighting {
        await renewAfterSleep()
        if await host.usesCardReaders {
            if let failure = await readers.serviceFailure { return ModuleSighting(failure: .readers(failure)) }
            await readers.settle()
        }
        var sighting = ModuleSighting(tokens: sightings.snapshots(of: host.identity))
        if !calls.awaitGesture(of: host.identity) || sighting.tokens.count != 1 {
            sighting = await host.tokens()
        }
        for index in sighting.tokens.indices {
            let key = TokenKey(module: host.identity, token: sighting.tokens[index].token)
            // A person is asked after the token's login, which the look may not have seen.
            if calls.awaitGesture(on: key) { sighting.tokens[index].isLoggedIn = true }
        }
        guard await host.usesCardReaders else { return sighting }
        await readers.start(environment: host.configuration.environment)
        return await readers.serviceFailure.map { ModuleSighting(failure: .readers($0)) } ?? sighting
    }

    private func describe(_ snapshot: TokenSnapshot, _ look: Look) -> FoundToken {
        let key = TokenKey(module: look.identity, token: snapshot.token)
        var snapshot = snapshot
        if ledger.awaitsLogout(key) { snapshot.isLoggedIn = false }
        let located = snapshot.located(in: look.description)
        snapshot.hasPSS = sightings.havePSS(key, snapshot)
        ledger.noteSeen(key, snapshot.flags)
        return FoundToken(
            module: look.identity, shownModule: look.module.name, located: located, snapshot: snapshot,
            isLocked: ledger.isLocked(key), isBlocked: ledger.isBlocked(key) || snapshot.flags.contains(.userPINLocked),
            rule: rule(for: located), loginEnds: ledger.loginEnds(key), awaited: calls.gesture(on: key),
            hidesCount: ledger.hidesCount(key), uri: PKCS11URI(token: snapshot.token))
    }

    /// Several modules show a token of this description, and no URI says which of them is meant, the rule's or the one that
    /// the caller means it by: any of them would get the other's PIN.
    func ambiguity(of token: FoundToken, _ rule: TokenRule?) -> LoginFailure? {
        let uri = PKCS11URI(token: token.snapshot.token)
        let others = sightings.present.filter { $0.key.module != token.module && uri.matches($0.value) }.values
        guard !others.isEmpty else { return nil }
        let shown = [token.located] + others
        let naming = [token.meantBy, rule?.uri].compactMap(\.self).filter(\.namesModule)
        guard !naming.contains(where: { uri in shown.count { uri.matches($0) } == 1 }) else { return nil }
        return .ambiguous(shown.uris.sorted { $0.description < $1.description })
    }

    /// The first PIN rule whose URI matches the token.
    func rule(for token: LocatedToken) -> TokenRule? { rules.first { $0.uri.matches(token) } }

    // MARK: Polling

    /// Looks for tokens that come and go where nothing tells of it: PC/SC has events, PKCS#11 has none to rely on. A module
    /// that is still being looked at is left out, and keeps no other waiting.
    ///
    /// - Parameters:
    ///   - isWaitedFor: A profile waits for a token, or for its objects: all of it is read.
    ///   - used: Tokens with sessions that are held.
    package func poll(isWaitedFor: Bool, used: Set<TokenKey>) async {
        if await renewAfterSleep() {
            _ = await survey()
            return
        }
        let areWatched = await readers.areWatched
        for host in hosts where polled.insert(host.identity).inserted {
            Task {  // ends with the deadlines of the module's calls
                let hasEvents = await host.usesCardReaders && areWatched
                if !hasEvents { await poll(host, isWaitedFor: isWaitedFor, used: used) }
                polled.remove(host.identity)
            }
        }
    }

    private func poll(_ host: ModuleHost, isWaitedFor: Bool, used: Set<TokenKey>) async {
        let seen = sightings.tokens(of: host.identity)
        if !isWaitedFor {
            // A locked token that goes may leave its profiles another.
            guard seen.contains(where: { $0.isLoggedIn || used.contains($0.key) || ledger.isLocked($0.key) }),
                !calls.excuse(host.identity), let present = await host.presence()
            else { return }
            // A module that fails is asked once more, by the survey, which tells why.
            guard (try? present.get()).map(Set.init) != Set(seen.map(\.reference)) else { return }
        }
        _ = await survey(of: [host])
    }

    /// After a sleep no session is used before it has been opened anew: cards have lost their power, connections theirs,
    /// and another token may be in the slot. To be awaited before a module is asked for anything.
    ///
    /// - Returns: Whether this call has noticed the sleep.
    @discardableResult
    func renewAfterSleep() async -> Bool {
        let hasSlept = sleepGauge.hasSlept(clock)
        if hasSlept {
            log.notice("the machine has slept: every session is opened anew")
            let hosts = self.hosts
            waking = Task {  // awaited right below, and by callers that come meanwhile
                for host in hosts { await host.renewSessions() }
            }
        }
        await waking?.value
        return hasSlept
    }
}
