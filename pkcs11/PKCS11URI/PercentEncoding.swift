/// Percent-encoding of bytes (RFC 3986 §2.1).
enum PercentEncoding {
    /// `bytes`, with those that `isPlain` does not pass as `%XX` in capitals.
    static func encode(_ bytes: [UInt8], plain isPlain: (UInt8) -> Bool) -> [UInt8] {
        bytes.flatMap { isPlain($0) ? [$0] : escape($0) }
    }

    /// `%XX` for one byte.
    static func escape(_ byte: UInt8) -> [UInt8] {
        [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 0x0F)]
    }

    /// The byte that `%XX` at the start of `bytes` stands for; nil where two hexadecimal digits do not follow.
    static func unescape(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        let digits = bytes.dropFirst().prefix(2).compactMap(hexValue)
        guard bytes.first == UInt8(ascii: "%"), digits.count == 2 else { return nil }
        return digits[0] << 4 | digits[1]
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch Unicode.Scalar(digit) {
        case "0"..."9": digit - UInt8(ascii: "0")
        case "a"..."f": digit - UInt8(ascii: "a") + 10
        case "A"..."F": digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
