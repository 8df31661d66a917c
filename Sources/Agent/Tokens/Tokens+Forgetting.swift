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

    /// Remembers which tokens are there, and tells of those that are no longer. A module that does not answer says nothing
    /// of its tokens: that is an outage, and no hand that took a card.
    func notePresence(in survey: Survey) {
        let answering = Set(survey.modules.filter { $0.failure == nil && $0.outage == nil }.compactMap(\.identity))
        let found = Dictionary(
            survey.tokens.map { ($0.key, $0.snapshot.slotID) }, uniquingKeysWith: { first, _ in first })
        let removed = present.filter { found[$0.key] == nil && answering.contains($0.key.module) }
        present = present.filter { removed[$0.key] == nil }.merging(found) { _, new in new }
        if !removed.isEmpty { removal.yield(removed) }
    }

    func forgetTyped(_ key: TokenKey) {
        access[key]?.typedUntil = nil
        access[key]?.isForOneSignature = false
    }
}
