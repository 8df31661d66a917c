import ModuleFiles
package import PKCS11URI
package import TokenService

extension Tokens {
    /// The tokens that the URI matches and that are known without a word to any module: one that is in an outage, or
    /// hangs, may be what a person locks them for.
    ///
    /// - Parameter used: Tokens that somebody has had a session from, whether they are still there or not.
    package func known(matching uri: PKCS11URI, used: Set<TokenKey>) -> Set<TokenKey> {
        let slots = sightings.present
        return used.union(slots.keys).union(ledger.keys).filter { key in
            let host = host(of: key) ?? hosts.first { $0.path == key.module.path }  // a file has no settings
            let module = ModuleDescription(name: host?.configuration.name, path: key.module.path)
            return uri.matches(LocatedToken(key.token, slotID: slots[key], module: module))
        }
    }

    /// Locks these tokens until `unlock`: no login and no signature reaches them from here on. Their logins end with
    /// `endLogins`.
    package func lock(_ keys: Set<TokenKey>) {
        ledger.lock(keys)
        permits.revoke(where: ledger.isLocked)
        try? keepLocks()  // the service tries once more, and tells
    }

    /// Ends the prompts and logins of tokens that are locked.
    package func endLogins(of keys: Set<TokenKey>) async {
        for key in keys { _ = await prompts.supply(.declined(.cancelled), for: key) }
        // A token that no look has shown since a reload may be logged in all the same; its worker finds the slot.
        let slots = sightings.present
        await withTaskGroup { group in
            for key in keys { group.addTask { await self.logOut(key, slotID: slots[key] ?? 0) } }
        }
    }

    /// As `lock`, for every token, those that come later included.
    package func lockAll() {
        ledger.lockAll()
        permits.revoke(where: ledger.isLocked)
        try? keepLocks()  // as above
    }

    /// Locks every token for as long as the event lasts; what a person has locked stays locked then. The logins end with
    /// `endLogins`.
    ///
    /// - Returns: False where it lasts already.
    package func begin(_ event: LockEvent) -> Bool {
        defer { permits.revoke(where: ledger.isLocked) }
        return ledger.begin(event)
    }

    /// - Returns: Whether no event locks any more.
    package func end(_ event: LockEvent) -> Bool { ledger.end(event) }

    /// Ends every login, every prompt and every worker, and with them all PINs.
    ///
    /// Ended, not only asked: a login that the worker does not know of any more would outlive the asking.
    package func endLogins() async {
        ledger.forgetAllTyped()
        await prompts.cancelAll()
        await withTaskGroup { group in
            for host in hosts { group.addTask { await host.restart() } }
        }
    }

    /// Forgets what was typed for tokens that are gone, and ends their workers: a module may keep the PIN, and take the next
    /// card in the slot for the last one.
    package func forget(removed: [TokenKey: UInt64]) async {
        for key in removed.keys {
            ledger.forgetTyped(key)
            await host(of: key)?.forget(removed: key.token)
        }
    }

    /// Forgets what these hosts' tokens showed and what was typed for them: a reload has ended the hosts. The tokens of a
    /// module that is configured no longer are gone with it. What keeps a wrong PIN from being sent again stays.
    func forget(_ ended: [ModuleHost]) {
        let identities = Set(ended.map(\.identity))
        for identity in identities { sightings.beginAnew(identity) }
        for key in ledger.keys where identities.contains(key.module) { ledger.forgetTyped(key) }
        let configured = Set(hosts.map(\.identity))
        ledger.forgetTokens(outside: configured)
        let removed = sightings.keep(only: configured)
        if !removed.isEmpty { removal.yield(removed) }
    }
}
