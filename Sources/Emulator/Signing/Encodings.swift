import FoundationEssentials

/// Lower-case hexadecimal, two digits a byte.
enum Hex {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// The bytes of hex digits in either case; nil where one digit is left over or a character is no digit.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        let digits = text.map { Character(Unicode.Scalar($0)).hexDigitValue ?? -1 }
        guard digits.count.isMultiple(of: 2), !digits.contains(-1) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

/// Standard base64 (RFC 4648 §4), strict: padded, no line breaks, no stray bits.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        // Foundation takes texts with stray bits, which are not what these bytes are encoded as.
        guard let data = Data(base64Encoded: String(text)), data.base64EncodedString() == text else { return nil }
        return Array(data)
    }
}

/// Percent-encoding as SigV4 wants it: RFC 3986 unreserved characters stay, all other bytes become `%XX` in upper case.
enum PercentEncoding {
    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { unreserved.contains($0) ? String(Unicode.Scalar($0)) : "%" + Hex.encode([$0]).uppercased() }
            .joined()
    }

    /// The bytes that `text` stands for; nil where a `%` is not followed by two hex digits. Foundation has no such function
    /// for bytes that are not UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let decoded = Hex.decode(rest.prefix(2)) else { return nil }
                bytes += decoded
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return bytes
    }
}

/// The text form of a UUID (RFC 9562 §4).
enum UUIDText {
    /// - Parameter bytes: At least 16; those after are not used.
    static func make(of bytes: [UInt8]) -> String {
        var bytes = Array(bytes.prefix(16))
        guard bytes.count == 16 else { return "" }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { Hex.encode(bytes[$0]) }.joined(separator: "-")
    }

    static func random() -> String { UUID().uuidString.lowercased() }
}
