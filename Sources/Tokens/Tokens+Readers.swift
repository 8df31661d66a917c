import AgentAPI
import TokenService

extension Tokens {
    /// Resets the cards that ended workers have left logged in, for as long as the agent runs.
    package func resetAbandonedCards() async { await readers.resetAbandonedCards() }

    /// Surveys what has changed as soon as a card, a reader or pcscd comes or goes. Runs until `stop`.
    package func followReaders() async {
        var known: ReaderReport?
        for await report in readers.reports {
            defer { known = report }
            let concerned = await hostsWithReaders()
            for reader in report.readers where known?.readers.contains(reader) == false {
                log.info("card reader", metadata: ["reader": "\(reader.name)", "card": "\(reader.card)"])
            }
            let change = ReaderChange(from: known, to: report)
            for host in concerned {
                if change.isNewService {
                    // OpenSC never recovers in a process that has lost pcscd, and other modules are not asked to.
                    await host.restart()
                } else if change.hasLostCard {
                    // OpenSC often hangs for ever in a call that meets the removal of a card, and some modules keep
                    // sessions for whatever card comes next (ykcs11).
                    if change.keepsCard { await host.renewSessions() } else { await host.abandon() }
                    // With another card still there, a person may be using it.
                    if !(change.keepsCard && calls.excuse(host.identity)) { await host.checkLife() }
                }
            }
            if change.isNewService, case .reachable = report.service { pcscdReturned = clock.boot() }
            // Not awaited, and ended by its deadlines: a module may hang in it until the next report tells why.
            Task { _ = await self.survey(of: concerned) }
        }
    }

    /// Why the token that is looked for may be in a reader, and not be seen.
    func busyCard(seen: Int) async -> Problem? {
        guard let report = await readers.latest(), report.readers.count(where: { $0.card == .present }) > seen,
            let held = await readers.now()?.readers.first(where: \.isExclusive)
        else { return nil }
        return Problem(
            .tokenBusy, "\(held.holding, .reason)",
            hint: "end that program, or have it share the card (scdaemon: 'pcsc-shared')",
            retryAfter: 2)
    }

    /// The notices of `status` about readers, where a module needs them.
    package var readerNotices: [String] {
        get async {
            guard await !hostsWithReaders().isEmpty else { return [] }
            if let failure = await readers.failure {
                return ["cards are looked for every two seconds, because their watcher does not run: \(failure)"]
            }
            guard let report = await readers.now() else { return [] }
            var notices: [String] = []
            if case .unreachable(let failure) = report.service { notices.append(failure.reason) }
            if let pcscdReturned, clock.boot() - pcscdReturned < 300_000 {
                notices.append(
                    "pcscd was restarted \((clock.boot() - pcscdReturned) / 1000) seconds ago: "
                        + "PINs that were typed before are needed again")
            }
            for reader in report.readers {
                if reader.isExclusive { notices.append(reader.holding) }
                if reader.card == .mute { notices.append("the card in reader \(reader.name) does not answer") }
            }
            return notices
        }
    }

    func hostsWithReaders() async -> [ModuleHost] {
        var found: [ModuleHost] = []
        for host in hosts where await host.usesCardReaders { found.append(host) }
        return found
    }
}

extension CardReaders {
    /// Why pcscd cannot be used, where that is so.
    var serviceFailure: ServiceFailure? {
        get async {
            if case .unreachable(let failure) = await latest()?.service { failure } else { nil }
        }
    }

    /// Whether an event will tell of each card. One that a program holds exclusively is not there for a module.
    var areWatched: Bool {
        get async {
            guard failure == nil, let report = await latest() else { return false }
            return !report.readers.contains(where: \.isExclusive)
        }
    }
}

extension CardReader {
    fileprivate var holding: String {
        let holder =
            switch holders.count {
            case 0: "a program that this user may not see"
            case 1: holders[0]
            default: "one of \(holders.joined(separator: ", "))"
            }
        return "the card in reader \(name) is held exclusively by \(holder)"
    }
}
