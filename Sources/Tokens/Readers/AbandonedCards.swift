import Synchronization

/// A card that is logged in although its worker has ended.
struct AbandonedCard: Sendable {
    /// The reader's name, or the first 64 bytes of it.
    let reader: [UInt8]
    /// When it was last heard of.
    let verified: ContinuousClock.Instant
}

/// The cards that were logged in by a worker that has ended without a logout: killed, or crashed. The thread that sees a worker end
/// adds to it.
final class AbandonedCards: Sendable {
    /// Tells that there are some.
    let news: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let cards = Mutex<[AbandonedCard]>([])

    init() { (news, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func add(_ new: [AbandonedCard]) {
        guard !new.isEmpty else { return }
        cards.withLock { $0 += new }
        continuation.yield()
    }

    /// Takes all of them, to be reset.
    func take() -> [AbandonedCard] {
        cards.withLock { cards in
            defer { cards = [] }
            return cards
        }
    }
}
