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

    static func random() -> String { make(of: RandomBytes.make(16)) }
}

enum RandomBytes {
    /// From the system's generator, which is fit for keys.
    static func make(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in generator.next() }
    }
}
