import Testing
import TokenService

@Suite("The reset of a card")
struct CardResetTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("The reader is meant that the slot is named after, and no other") func named() {
        var asked: [[UInt8]] = []
        let left = CardReset.failure(
            of: Self.bytes("Reader 1"), among: ["Reader", "Reader 1", "Reader 11"].map(Self.bytes)
        ) {
            asked.append($0)
            return 0
        }
        #expect(asked == [Self.bytes("Reader 1")] && left == 0)
    }

    @Test("A name of 64 bytes, the size of a slot's description, may be the beginning of a longer one") func cut() {
        let name = String(repeating: "x", count: 64)
        var asked = 0
        _ = CardReset.failure(
            of: Self.bytes(name), among: [name + " 00 00", name, String(name.dropLast())].map(Self.bytes)
        ) { _ in
            asked += 1
            return 0
        }
        #expect(asked == 2)
    }

    /// winscard.h's codes, by pcsclite.h.
    @Test("A card that is gone or was just reset has no login; another failure leaves one") func codes() {
        let free: [UInt32] = [0, 0x8010_0009, 0x8010_000C, 0x8010_0017, 0x8010_0068, 0x8010_0069]
        for code in free + [0x8010_000B, 0x8010_0066, 0x8010_001D, 0x8010_002F] {
            let left = CardReset.failure(of: [1], among: [[1]]) { _ in code }
            #expect(left == (free.contains(code) ? 0 : code))
        }
    }

    @Test("A failure is not made good by the reset of another card") func several() {
        let name = [UInt8](repeating: 1, count: 64)
        #expect(
            CardReset.failure(of: name, among: [name + [1], name + [2]]) { $0.last == 1 ? 0x8010_000B : 0 }
                == 0x8010_000B)
    }

    /// As SCardListReaders of pcsc-lite gives them.
    @Test(
        "A multi-string is strings that end with a NUL each, and the last one with two",
        arguments: [
            ("A\u{0}B 1\u{0}\u{0}", ["A", "B 1"]), ("A\u{0}\u{0}", ["A"]), ("\u{0}", []), ("", []),
            ("A\u{0}\u{0}rest\u{0}", ["A"]), ("A\u{0}cut", ["A"]), ("№\u{0}\u{0}", ["№"]),
        ])
    func multiString(text: String, names: [String]) {
        #expect(CardReset.names(in: text.utf8.map { CChar(bitPattern: $0) }) == names.map(Self.bytes))
    }
}
