import Encodings

struct JSONStringError: Error, Hashable, Sendable {
    let reason: String
}

/// A JSON string (RFC 8259 §7): UTF-8 that is valid, escapes that are known, surrogates in pairs.
enum JSONString {
    /// - Returns: The text, and the offset after its closing quote.
    static func read(_ bytes: [UInt8], at start: Int) throws(JSONStringError) -> (text: String, end: Int) {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "\"") else {
            throw JSONStringError(reason: "expected a string")
        }
        var utf8: [UInt8] = []
        var position = start + 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: utf8, as: UTF8.self) else {
                    throw JSONStringError(reason: "a string is not UTF-8")
                }
                return (text, position)
            case UInt8(ascii: "\\"):
                let (scalar, end) = try escape(bytes, at: position)
                utf8 += Array(String(scalar).utf8)
                position = end
            case 0..<0x20: throw JSONStringError(reason: "a string holds a control character")
            default: utf8.append(byte)
            }
        }
        throw JSONStringError(reason: "a string does not end")
    }

    private static func escape(
        _ bytes: [UInt8], at start: Int
    ) throws(JSONStringError) -> (scalar: Unicode.Scalar, end: Int) {
        guard start < bytes.count else { throw JSONStringError(reason: "a string does not end") }
        switch bytes[start] {
        case UInt8(ascii: "\""): return ("\"", start + 1)
        case UInt8(ascii: "\\"): return ("\\", start + 1)
        case UInt8(ascii: "/"): return ("/", start + 1)
        case UInt8(ascii: "b"): return ("\u{8}", start + 1)
        case UInt8(ascii: "f"): return ("\u{C}", start + 1)
        case UInt8(ascii: "n"): return ("\n", start + 1)
        case UInt8(ascii: "r"): return ("\r", start + 1)
        case UInt8(ascii: "t"): return ("\t", start + 1)
        case UInt8(ascii: "u"): return try unicodeEscape(bytes, at: start + 1)
        default: throw JSONStringError(reason: "a string holds an unknown escape")
        }
    }

    private static func unicodeEscape(
        _ bytes: [UInt8], at start: Int
    ) throws(JSONStringError) -> (scalar: Unicode.Scalar, end: Int) {
        guard let high = unit(bytes, at: start) else { throw JSONStringError(reason: "a string holds half an escape") }
        if let scalar = Unicode.Scalar(high) { return (scalar, start + 4) }
        let marker = bytes.dropFirst(start + 4).prefix(2)
        guard (0xD800...0xDBFF).contains(high), marker.elementsEqual("\\u".utf8),
            let low = unit(bytes, at: start + 6), (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        else { throw JSONStringError(reason: "a string holds half a surrogate pair") }
        return (scalar, start + 10)
    }

    private static func unit(_ bytes: [UInt8], at start: Int) -> UInt32? {
        let digits = bytes.dropFirst(start).prefix(4)
        guard digits.count == 4, digits.allSatisfy({ $0.hexadecimalDigit != nil }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
