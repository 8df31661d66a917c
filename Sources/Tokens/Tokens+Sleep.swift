extension Tokens {
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
