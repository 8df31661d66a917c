/// Base 64 (RFC 4648 §4), padded, in one line.
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(length(of: bytes.count))
        encode(bytes.span) { text.append($0) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Gives one character after another to `write`: for bytes that must not be copied elsewhere.
    package static func encode(_ bytes: Span<UInt8>, write: (UInt8) -> Void) {
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var bits = 0
            for offset in 0..<3 { bits = bits << 8 | (offset < count ? Int(bytes[start + offset]) : 0) }
            for position in 0..<4 {
                write(position <= count ? digits[bits >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
            }
        }
    }

    /// How many characters so many bytes take.
    package static func length(of count: Int) -> Int { (count + 2) / 3 * 4 }

    fileprivate static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}

/// Reads base 64 character by character, and nothing but its one padded spelling: no line breaks, no other alphabet.
package struct Base64Decoder {
    package private(set) var bytes: [UInt8] = []
    private var bits: UInt32 = 0
    private var count = 0
    private var padding = 0

    /// - Parameter length: How many characters there will be at most.
    package init(length: Int) { bytes.reserveCapacity(length / 4 * 3) }

    /// - Returns: False for a character that cannot stand here.
    package mutating func take(_ character: UInt8) -> Bool {
        if character == UInt8(ascii: "=") {
            guard count % 4 >= 2 else { return false }
            padding += 1
        } else {
            guard padding == 0, let value = Self.value(of: character) else { return false }
            bits = bits << 6 | value
        }
        count += 1
        guard count % 4 == 0 else { return true }
        let whole = bits << (6 * UInt32(padding))
        // Bits that no byte has must be zero (RFC 4648 §3.5).
        guard whole & ((1 << (8 * UInt32(padding))) - 1) == 0 else { return false }
        for place in 0..<3 - padding { bytes.append(UInt8(truncatingIfNeeded: whole >> (16 - 8 * UInt32(place)))) }
        bits = 0
        return true
    }

    /// Whether what has been taken is a whole text.
    package var isComplete: Bool { count % 4 == 0 }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
