import Logging
import TokenService

extension CardReaders {
    /// pcscd asks many readers for their cards every 400 ms. A worker often ends because its card is pulled: a reset before
    /// pcscd has seen that leaves the reader with a card that does not answer.
    private static let sight: Int64 = 600

    /// Resets the cards that ended workers have left logged in, for as long as the agent runs.
    func resetAbandonedCards() async {
        for await _ in abandonedCards.news { await settle() }
    }

    /// Returns when no card is left that a worker has abandoned: a reset would take the next login away as well.
    func settle() async {
        let cards = abandonedCards.take()
        guard !cards.isEmpty || resetting != nil else { return }
        let before = resetting
        let task = Task {  // awaited right here
            await before?.value
            if !cards.isEmpty { try? await self.clock.sleep(Self.sight) }  // cancelled: the agent ends
            for card in cards where !self.hasMoved(card) { await self.reset(card.reader) }
        }
        resetting = task
        await task.value
        if resetting == task { resetting = nil }
    }

    /// Whether the reader's card was taken out since, or the reader itself: another card must be left alone, above all while
    /// a module looks at it for the first time.
    private func hasMoved(_ card: AbandonedCard) -> Bool {
        moves.contains { Array($0.key.utf8.prefix(64)) == card.reader && $0.value > card.verified }
    }

    /// Keeps when cards came and went.
    func noteMoves(in new: ReaderReport) {
        for reader in Set(new.readers.map(\.name) + (report?.readers.map(\.name) ?? [])) {
            let (before, after) = (report?.reader(reader), new.reader(reader))
            if before?.events != after?.events || before?.card != after?.card { moves[reader] = .now }
        }
        moves = moves.filter { new.reader($0.key) != nil || ContinuousClock.now - $0.value < .seconds(600) }
    }

    private func reset(_ reader: [UInt8]) async {
        let name = String(decoding: reader, as: UTF8.self)
        // Another program may be at work on the card, and finishes that first.
        let answer = await watcher?.ask(.readers(.reset(reader)), deadline: 10_000, clock: clock)
        switch answer {
        case .success(.reset):
            log.notice("card reset: its worker ended without a logout", metadata: ["reader": "\(name)"])
        case .success(.failed(let failure)): warn(name, failure.text)
        case .success: warn(name, "the watcher of card readers gave another answer than the one asked for")
        case .failure(let loss): warn(name, "\(loss)")
        case nil: warn(name, "the watcher of card readers does not run")
        }
    }

    private func warn(_ reader: String, _ reason: String) {
        log.warning(
            "a card was left logged in by its worker, and could not be reset: remove it",
            metadata: ["reader": "\(reader)", "why": "\(reason)"])
    }
}

extension ReaderReport {
    fileprivate func reader(_ name: String) -> CardReader? { readers.first { $0.name == name } }
}
