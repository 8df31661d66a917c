/// A gzip member with one stored block (RFC 1952, RFC 1951 §3.2.4): packed in form only.
enum Gzip {
    /// - Parameter bytes: At most 65,535; more is cut off.
    static func store(_ bytes: [UInt8]) -> [UInt8] {
        let bytes = Array(bytes.prefix(65_535))
        let length = UInt16(bytes.count)
        var member: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
        member += littleEndian(length) + littleEndian(~length) + bytes
        return member + littleEndian(crc32(bytes)) + littleEndian(UInt32(bytes.count))
    }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        (0..<(number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1 }
        }
        return ~remainder
    }
}
