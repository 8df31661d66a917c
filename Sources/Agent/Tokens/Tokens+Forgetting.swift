extension Tokens {
    /// Ends every login, every prompt and every worker, and with them all PINs.
    ///
    /// Ended, not only asked: a login that the worker does not know of any more would outlive the asking.
    func forgetLogins() async {
        for key in access.keys { forgetTyped(key) }
        await prompts.cancelAll()
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.restart() } }
        }
    }

    /// As `forgetLogins`, and nothing logs in by itself until `endEvent`; what a person has locked stays locked then.
    func beginEvent() async {
        locks.beginEvent()
        await forgetLogins()
    }

    func endEvent() { locks.endEvent() }

    /// Forgets what was typed for tokens that are gone, and ends their workers: a module may keep the PIN, and take the next
    /// card in the slot for the last one.
    func forget(removed: [TokenKey: UInt64]) async {
        for key in removed.keys {
            forgetTyped(key)
            await host(of: key)?.forget(removed: key.token)
        }
    }

    /// A login whose time is over is ended before it is used, whatever the timers have done while the machine slept.
    func withoutOverdueLogin(_ token: FoundToken) async -> FoundToken {
        guard let end = access[token.key]?.typedUntil, clock.boot() >= end else { return token }
        await logOut(token.key, slotID: token.snapshot.slotID)
        var token = token
        token.snapshot.isLoggedIn = false
        return token
    }

    /// Forgets what these hosts' tokens showed and what was typed for them: a reload has ended the hosts. The tokens of a
    /// module that is configured no longer are gone with it. What keeps a wrong PIN from being sent again stays.
    func forget(_ ended: [ModuleHost]) {
        let identities = Set(ended.map(\.identity))
        for identity in identities { sightings.beginAnew(identity) }
        for key in access.keys where identities.contains(key.module) { forgetTyped(key) }
        let configured = Set(hosts.map(\.identity))
        for key in access.keys where !configured.contains(key.module) {
            if access[key]?.isForgotten == true { access[key] = nil }
        }
        let removed = sightings.keep(only: configured)
        if !removed.isEmpty { removal.yield(removed) }
    }

    func forgetTyped(_ key: TokenKey) {
        access[key]?.typedUntil = nil
        access[key]?.isForOneSignature = false
    }
}
