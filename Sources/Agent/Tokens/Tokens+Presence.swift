import TokenService

extension Tokens {
    /// Looks for tokens that come and go where nothing tells of it: PC/SC has events, PKCS#11 has none to rely on.
    ///
    /// - Parameters:
    ///   - isWaitedFor: Somebody waits for a token, or for what it shows: all of it is read.
    ///   - used: Tokens with sessions that are held.
    func poll(isWaitedFor: Bool, used: Set<TokenKey>) async {
        if await renewAfterSleep() {
            _ = await survey()
            return
        }
        let areWatched = await readers.areWatched
        var changed: [ModuleHost] = []
        for host in hosts {
            if areWatched, await host.usesCardReaders { continue }
            let sight = sightings.sights(of: host.identity)
            if isWaitedFor {
                changed.append(host)
            } else if sight.contains(where: { $0.isLoggedIn || used.contains($0.key) }) {
                if awaited.excuses(module: host.identity) { continue }
                guard let present = await host.presence() else { continue }
                let seen = Set(sight.map(\.reference))
                // A module that fails is asked once more, by the survey, which tells why.
                if (try? present.get()).map(Set.init) != seen { changed.append(host) }
            }
        }
        if !changed.isEmpty { _ = await survey(of: changed) }
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
