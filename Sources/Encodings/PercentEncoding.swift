/// Percent-encoding of bytes (RFC 3986 §2.1).
package enum PercentEncoding {
    /// `bytes`, with those that `isPlain` does not pass as `%XX` in capitals.
    @inlinable package static func encode(_ bytes: some Sequence<UInt8>, plain isPlain: (UInt8) -> Bool) -> [UInt8] {
        var text: [UInt8] = []
        for byte in bytes {
            if isPlain(byte) { text.append(byte) } else { text += escape(byte) }
        }
        return text
    }

    /// `%XX` for one byte.
    @inlinable package static func escape(_ byte: UInt8) -> [UInt8] {
        [UInt8(ascii: "%"), Hexadecimal.digit(byte >> 4, .uppercase), Hexadecimal.digit(byte & 15, .uppercase)]
    }

    /// The byte that `%XX` at the start of `bytes` stands for; nil where two hexadecimal digits do not follow.
    @inlinable package static func unescape(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        let start = bytes.startIndex
        guard bytes.count >= 3, bytes[start] == UInt8(ascii: "%") else { return nil }
        return Hexadecimal.byte(bytes[start + 1], bytes[start + 2])
    }
}
