package import LockedMemory

/// What a PIN may have in it by mistake: copied along, or typed by a keyboard that means well. Some token may want it, so it
/// is sent as it is, and named when the token has refused it.
package enum PINOddity: UInt8, CaseIterable, Hashable, Sendable {
    case blankBefore = 1
    case blankAfter = 2
    case quotes = 3
    case noBreakSpace = 4
    case zeroWidthSpace = 5
}

extension PINOddity: CustomStringConvertible {
    /// It follows "the PIN has".
    package var description: String {
        switch self {
        case .blankBefore: "a blank before it"
        case .blankAfter: "a blank after it"
        case .quotes: "quotes around it"
        case .noBreakSpace: "a no-break space in it"
        case .zeroWidthSpace: "a zero-width character in it"
        }
    }
}

extension PIN {
    /// In the order of the cases.
    package var oddities: [PINOddity] {
        withBytes { bytes in PINOddity.allCases.filter { $0.isIn(bytes) } }
    }
}

extension PINOddity {
    fileprivate func isIn(_ pin: Span<UInt8>) -> Bool {
        let (first, last) = (pin[0], pin[pin.count - 1])  // no PIN is empty
        return switch self {
        case .blankBefore: first == UInt8(ascii: " ")
        case .blankAfter: last == UInt8(ascii: " ")
        case .quotes: pin.count > 1 && first == last && (first == UInt8(ascii: "\"") || first == UInt8(ascii: "'"))
        // U+00A0, U+202F, U+3000 in UTF-8.
        case .noBreakSpace: pin.contains([[0xC2, 0xA0], [0xE2, 0x80, 0xAF], [0xE3, 0x80, 0x80]])
        // U+200B to U+200F, U+2060, U+FEFF.
        case .zeroWidthSpace:
            pin.contains((0x8B...0x8F).map { [0xE2, 0x80, $0] } + [[0xE2, 0x81, 0xA0], [0xEF, 0xBB, 0xBF]])
        }
    }
}

extension Span<UInt8> {
    /// Whether one of the sequences is in it.
    fileprivate func contains(_ sequences: [[UInt8]]) -> Bool {
        indices.contains { start in
            sequences.contains { sequence in
                sequence.count <= count - start && sequence.indices.allSatisfy { self[start + $0] == sequence[$0] }
            }
        }
    }
}
