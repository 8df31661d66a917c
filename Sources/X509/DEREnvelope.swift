/// The outer header of a certificate, read before OpenSSL sees a byte, for errors that say what a token really gave.
enum DEREnvelope {
    /// The bytes of the outer SEQUENCE, without the zero padding that some cards leave behind it.
    static func contents(of bytes: [UInt8]) throws(CertificateError) -> [UInt8] {
        guard let first = bytes.first else { throw .empty }
        guard bytes.count <= Certificate.maximumSize else { throw .tooLarge(bytes: bytes.count) }
        if bytes.starts(with: [0x1f, 0x8b]) { throw .compressed }
        if bytes.starts(with: Array("-----BEGIN".utf8)) { throw .pemText }
        guard first == 0x30 else { throw .notASequence }
        guard bytes.count >= 2 else { throw .truncated(bytes: bytes.count, expected: 2) }
        let count = try sequenceCount(bytes)
        guard bytes.count >= count else { throw .truncated(bytes: bytes.count, expected: count) }
        guard bytes[count...].allSatisfy({ $0 == 0 }) else { throw .trailingBytes(count: bytes.count - count) }
        return Array(bytes.prefix(count))
    }

    /// The length of the whole SEQUENCE, header included (X.690 §8.1.3, §10.1).
    private static func sequenceCount(_ bytes: [UInt8]) throws(CertificateError) -> Int {
        let first = Int(bytes[1])
        if first < 0x80 { return 2 + first }
        let width = first - 0x80
        // No certificate within our limit needs more than three bytes, and 0x80 is BER's indefinite form.
        guard (1...3).contains(width) else { throw .notASequence }
        guard bytes.count >= 2 + width else { throw .truncated(bytes: bytes.count, expected: 2 + width) }
        let length = bytes[2..<(2 + width)].reduce(0) { $0 << 8 | Int($1) }
        guard length >= 0x80, bytes[2] != 0 else { throw .notASequence }
        return 2 + width + length
    }
}
