import Testing
import TokenService

@Suite("How often a card has gone from its reader")
struct CardRemovalsTests {
    typealias Sight = [(name: String, card: CardReader.Card, events: UInt16)]

    @Test(
        "A card counts as gone when it is, when its reader is, and when there is another one",
        arguments: [
            ([("A", .present, 1)], [("A", .present, 1)], 0),
            ([("A", .present, 1)], [("A", .absent, 2)], 1),
            ([("A", .present, 1)], [("A", .present, 3)], 1),
            ([("A", .present, 1)], [("A", .mute, 1)], 0),
            ([("A", .absent, 2)], [("A", .present, 3)], 0),
            ([("A", .absent, 0)], [], 0),
            ([("A", .present, 0)], [], 1),
            ([("A", .present, 0)], [("B", .present, 0)], 1),
        ] as [(Sight, Sight, UInt32)])
    func gone(before: Sight, after: Sight, removals: UInt32) {
        var counts = CardRemovals()
        counts.note(Self.readers(before))
        counts.note(Self.readers(after))
        #expect(counts.counted(Self.readers([("A", .present, 9)])).map(\.removals) == [removals])
    }

    @Test("A reader that comes back has the count that it left with") func returns() {
        var counts = CardRemovals()
        let token = Self.readers([("YubiKey", .present, 0)])
        for round in 0..<3 as Range<UInt32> {
            counts.note(token)
            #expect(counts.counted(token).map(\.removals) == [round])
            counts.note([])
        }
    }

    private static func readers(_ sight: Sight) -> [CardReader] {
        sight.map { CardReader(name: $0.name, card: $0.card, events: $0.events, isExclusive: false) }
    }
}
