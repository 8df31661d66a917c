import LockedMemory

/// The envelope of every message: 12 bytes that say how much follows.
///
/// | bytes | what |
/// |---|---|
/// | 1 | protocol version |
/// | 1 | kind of message |
/// | 2 | length of the secret, which follows the body and is in no parser's buffer |
/// | 4 | number of the request, which its reply repeats |
/// | 4 | length of the body |
///
/// All numbers are big-endian. The two ends are one build: another version ends the conversation.
package struct FrameHeader: Hashable, Sendable {
    package static let version: UInt8 = 1
    package static let length = 12
    /// 4,096 certificates of 4 KiB. What a worker sends is in the agent's memory twice before it is judged.
    package static let longestBody = 16 << 20

    package var kind: UInt8
    package var secretLength: Int
    package var number: UInt32
    package var bodyLength: Int

    package init(kind: UInt8, secretLength: Int, number: UInt32, bodyLength: Int) {
        self.kind = kind
        self.secretLength = secretLength
        self.number = number
        self.bodyLength = bodyLength
    }

    package init(_ bytes: some Collection<UInt8>) throws(WireError) {
        var reader = WireReader(Array(bytes))
        guard try reader.value() == Self.version else { throw .version }
        kind = try reader.value()
        secretLength = Int(try reader.value() as UInt16)
        number = try reader.value()
        bodyLength = Int(try reader.value() as UInt32)
        try reader.end()
        guard secretLength <= PIN.capacity, bodyLength <= Self.longestBody else { throw .tooLong }
    }

    package var bytes: [UInt8] {
        var writer = WireWriter()
        writer.add(
            Self.version, kind, UInt16(truncatingIfNeeded: secretLength), number,
            UInt32(truncatingIfNeeded: bodyLength))
        return writer.bytes
    }
}

/// Bytes that are no message of this protocol.
package enum WireError: Error, Hashable, Sendable {
    case version
    case truncated
    case tooLong
    case unknownKind(UInt8)
    /// An answer to a request that was not made.
    case unknownNumber(UInt32)
    case badValue
    case trailingBytes
}
