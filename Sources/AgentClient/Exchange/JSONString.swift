#if !hasFeature(Embedded)
    import Encodings
#endif

/// Strings of JSON (RFC 8259 §7): out of a text that `JSONScanner` has checked, and into one.
package enum JSONString {
    /// The UTF-8 of the string at `range`, which includes its quotes. Half a surrogate pair becomes U+FFFD.
    ///
    /// It is an ordinary array that nobody wipes: not for secrets.
    package static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound + 1
        let end = range.upperBound - 1
        while index < end {
            guard bytes[index] == UInt8(ascii: "\\") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let kind = bytes[index + 1]
            index += 2
            switch kind {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"): result.append(scalar: scalar(bytes, &index, end))
            default: result.append(kind)
            }
        }
        return result
    }

    /// Whether the string at `range` says `text`, in whatever spelling.
    static func matches(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
        for index in range where bytes[index] == UInt8(ascii: "\\") {
            let decoded = decode(bytes, range)
            return decoded.span.isEqual(to: text)
        }
        return bytes.extracting(range.lowerBound + 1..<range.upperBound - 1).isEqual(to: text)
    }

    /// The scalar whose four digits stand at `index`, together with a second half right behind it.
    private static func scalar(_ bytes: Span<UInt8>, _ index: inout Int, _ end: Int) -> UInt32 {
        let first = unit(bytes, index)
        index += 4
        guard (0xD800...0xDFFF).contains(first) else { return first }
        guard first < 0xDC00, index + 6 <= end, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        else { return 0xFFFD }
        let second = unit(bytes, index + 2)
        guard (0xDC00...0xDFFF).contains(second) else { return 0xFFFD }
        index += 6
        return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }

    private static func unit(_ bytes: Span<UInt8>, _ index: Int) -> UInt32 {
        var unit: UInt32 = 0
        for offset in 0..<4 { unit = unit << 4 | UInt32(bytes[index + offset].hexadecimalDigit ?? 0) }
        return unit
    }
}

extension [UInt8] {
    fileprivate mutating func append(scalar: UInt32) {
        func continuation(_ shift: UInt32) -> UInt8 { UInt8(0x80 | scalar >> shift & 0x3F) }
        switch scalar {
        case 0..<0x80: append(UInt8(scalar))
        case 0x80..<0x800:
            append(UInt8(0xC0 | scalar >> 6))
            append(continuation(0))
        case 0x800..<0x10000:
            append(UInt8(0xE0 | scalar >> 12))
            append(continuation(6))
            append(continuation(0))
        default:
            append(UInt8(0xF0 | scalar >> 18))
            append(continuation(12))
            append(continuation(6))
            append(continuation(0))
        }
    }
}
