/// Base 16 (RFC 4648 §8): two digits for each byte.
package enum Hexadecimal {
    package enum Letters { case uppercase, lowercase }

    @inlinable package static func encode(_ bytes: some Sequence<UInt8>, _ letters: Letters = .lowercase) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digit(byte >> 4, letters))
            text.append(digit(byte & 15, letters))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Parameter text: Digits with letters of either case.
    /// - Returns: nil where a byte is no digit, or one digit is left over.
    @inlinable package static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in text {
            guard let first = high else {
                high = digit
                continue
            }
            guard let byte = byte(first, digit) else { return nil }
            bytes.append(byte)
            high = nil
        }
        return high == nil ? bytes : nil
    }

    /// The byte of two digits; nil where one of them is none.
    @inlinable package static func byte(_ high: UInt8, _ low: UInt8) -> UInt8? {
        guard let high = high.hexadecimalDigit, let low = low.hexadecimalDigit else { return nil }
        return high << 4 | low
    }

    /// - Parameter value: 0 to 15.
    @inlinable package static func digit(_ value: UInt8, _ letters: Letters) -> UInt8 {
        if value < 10 { return UInt8(ascii: "0") + value }
        return value - 10 + (letters == .uppercase ? UInt8(ascii: "A") : UInt8(ascii: "a"))
    }
}
