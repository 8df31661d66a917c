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
        let found = await withTaskGroup(of: (Int, ModuleSighting, Problem?).self) { group in
            for (index, host) in hosts.enumerated() {
                group.addTask {
                    let (sighting, outage) = await self.look(at: host, number)
                    return (index, sighting, outage)
                }
            }
            var found: [Int: (ModuleSighting, Problem?)] = [:]
            for await (index, sighting, outage) in group { found[index] = (sighting, outage) }
            return found
        }
        let names = ModuleNames(self.hosts)
        var survey = Survey(
            modules: unusable.map { FoundModule(name: $0.name, failure: $0.reason, outage: $0.outage) }, tokens: [])
        for (index, host) in hosts.enumerated() {
            guard let (sighting, outage) = found[index] else { continue }
            let name = names.name(of: host)
            survey.modules.append(FoundModule(name: name, failure: sighting.failure?.reason, outage: outage))
            let library = await host.report
            survey.tokens += sighting.tokens.map { describe($0, host, named: name, library) }
        }
        for (index, uri) in survey.tokens.map(\.located).uris.enumerated() {
            survey.tokens[index].uri = uri
            locations[survey.tokens[index].key] = survey.tokens[index].located
        }
        let present = sightings.present
        locations = locations.filter { present[$0.key] != nil }
        return survey
    }

    /// Looks at one module, and notes at once what it shows: the others may take long.
    private func look(at host: ModuleHost, _ number: UInt64) async -> (ModuleSighting, outage: Problem?) {
        let sighting = await list(host, number)
        var outage: Problem?
        if let failure = sighting.failure {
            if failure.passes { outage = failure.problem(doing: "listing tokens") }
        } else if await host.usesCardReaders {
            outage = await busyCard(seen: sighting.tokens.count)
        }
        // A task that was cancelled has left early, and a host that a reload has ended shows nothing.
        guard !Task.isCancelled, isInForce(host) else { return (sighting, outage) }
        let change = sightings.note(
            Set(sighting.tokens.map { TokenSighting($0, of: host.identity) }), of: host.identity, look: number,
            isAnswer: sighting.failure == nil && outage == nil)
        if change.isNews {
            log.info(
                "tokens have changed", metadata: ["module": "\(host.path)", "tokens": "\(sighting.tokens.count)"])
            changed.yield()
        }
        if !change.removed.isEmpty { removal.yield(change.removed) }
        return (sighting, outage)
    }

    private func isInForce(_ host: ModuleHost) -> Bool { hosts.contains { $0 === host } }

    /// The module's tokens, or why they cannot be known: without pcscd a module shows no slots, which does not mean that
    /// there is no token.
    ///
    /// While the module's only token waits for a person, its tokens are those of the last look. Where there are several,
    /// each has a worker, and the host sees to it that none waits for another's.
    private func list(_ host: ModuleHost, _ number: UInt64) async -> ModuleSighting {
        await renewAfterSleep()
        if await host.usesCardReaders {
            if let failure = await readers.serviceFailure { return ModuleSighting(failure: .readers(failure)) }
            await readers.settle()
        }
        var sighting = ModuleSighting(tokens: sightings.snapshots(of: host.identity))
        if !calls.awaitGesture(of: host.identity) || sighting.tokens.count != 1 {
            sighting = await host.tokens()
            if sighting.failure == nil, isInForce(host) {
                sightings.remember(sighting.tokens, of: host.identity, look: number)
            }
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

    private func describe(
        _ snapshot: TokenSnapshot, _ host: ModuleHost, named name: String, _ library: ModuleReport?
    ) -> FoundToken {
        let key = TokenKey(module: host.identity, token: snapshot.token)
        ledger.noteSeen(key, snapshot.flags)
        var found = FoundToken(
            module: host.identity, shownModule: name, moduleName: host.configuration.name, library: library,
            snapshot: snapshot, isLocked: ledger.isLocked(key),
            isBlocked: ledger.isBlocked(key) || snapshot.flags.contains(.userPINLocked),
            loginEnds: ledger.loginEnds(key), awaited: calls.gesture(on: key), hidesCount: ledger.hidesCount(key),
            uri: PKCS11URI(token: snapshot.token))
        found.rule = rule(for: found.located)
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
            guard seen.contains(where: { $0.isLoggedIn || used.contains($0.key) }),
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
