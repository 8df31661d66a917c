package import TokenService

extension Tokens {
    /// Looks for tokens that come and go where nothing tells of it: PC/SC has events, PKCS#11 has none to rely on. A module
    /// that is still being looked at is left out, and keeps no other waiting.
    ///
    /// - Parameters:
    ///   - isWaitedFor: Somebody waits for a token, or for what it shows: all of it is read.
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
        let sights = sightings.sights(of: host.identity)
        if !isWaitedFor {
            guard sights.contains(where: { $0.isLoggedIn || used.contains($0.key) }),
                !awaited.excuses(module: host.identity), let present = await host.presence()
            else { return }
            // A module that fails is asked once more, by the survey, which tells why.
            guard (try? present.get()).map(Set.init) != Set(sights.map(\.reference)) else { return }
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
            waking = Task {  // awaited right below, and by whoever comes meanwhile
                for host in hosts { await host.renewSessions() }
            }
        }
        await waking?.value
        return hasSlept
    }
}

extension CardReaders {
    /// Whether an event will tell of each card. One that somebody holds exclusively is not there for a module.
    fileprivate var areWatched: Bool {
        get async {
            guard failure == nil, let report = await latest() else { return false }
            return !report.readers.contains(where: \.isExclusive)
        }
    }
}
