import PKCS11URI

extension Tokens {
    /// The tokens that the URI matches and that are known without a word to any module: one that is in an outage, or
    /// hangs, may be what a person locks them for.
    ///
    /// - Parameter used: Tokens that somebody has had a session from, whether they are still there or not.
    func known(matching uri: PKCS11URI, used: Set<TokenKey>) -> Set<TokenKey> {
        let slots = sightings.present
        return used.union(slots.keys).union(access.keys).filter { key in
            let host = host(of: key) ?? hosts.first { $0.path == key.module.path }  // a file has no settings
            let module = ModuleDescription(name: host?.configuration.name, path: key.module.path)
            return uri.matches(LocatedToken(key.token, slotID: slots[key], module: module))
        }
    }

    /// Logs out and keeps what is stored from logging in again, until `unlock`.
    func lock(_ keys: Set<TokenKey>) async {
        for key in keys {
            locks.lock(key)
            forgetTyped(key)
        }
        try? keepLocks()  // the service tries once more, and tells
        for key in keys { _ = await prompts.supply(.declined(.cancelled), for: key) }
        // The others are gone, and their logins with them.
        let slots = sightings.present.filter { keys.contains($0.key) }
        await withTaskGroup { group in
            for (key, slotID) in slots { group.addTask { await self.logOut(key, slotID: slotID) } }
        }
    }

    /// As `lock`, for every token, those that come later included.
    func lockAll() async {
        locks.lockAll()
        try? keepLocks()  // as above
        await forgetLogins()
    }
}
