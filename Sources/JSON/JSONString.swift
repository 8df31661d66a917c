#if !hasFeature(Embedded)
    import Encodings
#endif

/// The UTF-8 of a string of JSON (RFC 8259 §7), its escapes resolved, byte by byte.
///
///     var string = JSONString(range)
///     while let byte = string.next(in: bytes) { … }
package struct JSONString {
    private var index: Int
    private let end: Int
    /// Bytes of an escape that are still to be given, the next one lowest. None of them is zero.
    private var pending: UInt32 = 0

    /// - Parameter range: That of a string which `JSONReader` has read, and checked.
    package init(_ range: Range<Int>) {
        index = range.lowerBound
        end = range.upperBound
    }

    /// - Parameter bytes: The text that the reader read.
    package mutating func next(in bytes: Span<UInt8>) -> UInt8? {
        if pending != 0 {
            defer { pending >>= 8 }
            return UInt8(truncatingIfNeeded: pending)
        }
        guard index < end else { return nil }
        let byte = bytes[index]
        guard byte == UInt8(ascii: "\\"), let escape = JSONEscape(bytes, at: index) else {
            index += 1
            return byte
        }
        index += escape.length
        pending = escape.utf8 >> 8
        return UInt8(truncatingIfNeeded: escape.utf8)
    }

    /// The whole string.
    ///
    /// Not for secrets: the array is ordinary memory, and is not wiped.
    package static func decode(_ range: Range<Int>, in bytes: Span<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(range.count)
        var string = JSONString(range)
        while let byte = string.next(in: bytes) { decoded.append(byte) }
        return decoded
    }

    /// Whether the string means `text`, with escapes or without.
    package static func isEqual(_ range: Range<Int>, to text: StaticString, in bytes: Span<UInt8>) -> Bool {
        var string = JSONString(range)
        for offset in 0..<text.utf8CodeUnitCount {
            guard unsafe string.next(in: bytes) == text.utf8Start[offset] else { return false }
        }
        return string.next(in: bytes) == nil
    }

    /// Whether two strings of one text say the same.
    static func areEqual(_ one: Range<Int>, _ other: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        var (one, other) = (JSONString(one), JSONString(other))
        while let byte = one.next(in: bytes) {
            guard other.next(in: bytes) == byte else { return false }
        }
        return other.next(in: bytes) == nil
    }
}

/// An escape of a JSON string, or two that are a surrogate pair.
struct JSONEscape {
    /// How many bytes it takes in the text.
    let length: Int
    /// The character that it means, its first byte lowest.
    let utf8: UInt32

    /// - Parameter index: That of a backslash.
    /// - Returns: nil for an unknown escape, and for half a surrogate pair.
    init?(_ bytes: Span<UInt8>, at index: Int) {
        guard index + 1 < bytes.count else { return nil }
        let kind = bytes[index + 1]
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): self.init(2, UInt32(kind))
        case UInt8(ascii: "b"): self.init(2, 0x08)
        case UInt8(ascii: "f"): self.init(2, 0x0C)
        case UInt8(ascii: "n"): self.init(2, 0x0A)
        case UInt8(ascii: "r"): self.init(2, 0x0D)
        case UInt8(ascii: "t"): self.init(2, 0x09)
        default:
            guard let first = Self.unit(bytes, at: index) else { return nil }
            guard 0xD800...0xDFFF ~= first else {
                self.init(6, first)
                return
            }
            guard first < 0xDC00, let second = Self.unit(bytes, at: index + 6), 0xDC00...0xDFFF ~= second else {
                return nil
            }
            self.init(12, 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        }
    }

    /// - Parameter scalar: Of no surrogate.
    private init(_ length: Int, _ scalar: UInt32) {
        self.length = length
        utf8 = Unicode.Scalar(scalar)?.utf8.reversed().reduce(0) { $0 << 8 | UInt32($1) } ?? 0
    }

    /// The number of `\uXXXX` at `index`.
    private static func unit(_ bytes: Span<UInt8>, at index: Int) -> UInt32? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt32 = 0
        for place in index + 2..<index + 6 {
            guard let digit = bytes[place].hexadecimalDigit else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}
