/// A PIN, in a page of its own: locked in memory, left out of core dumps and of forked children, wiped when it ends.
///
/// It is never a `String`, prints as nothing, and has one owner. `grep withBytes` finds every place that reads it.
package struct PIN: ~Copyable, Sendable {
    /// The longest PIN in bytes that any token seen so far takes (SoftHSM: 255).
    package static let capacity = 255

    private let memory: SecretBuffer

    package var count: Int { memory.count }

    /// Takes 1 to `capacity` bytes from `fill`, which writes them straight into the locked page. Byte order marks before them,
    /// which editors add unseen, are left out: all of them, so that each program that hands a PIN on sends the same PIN.
    ///
    /// - Parameters:
    ///   - mayHoldControlBytes: For those who give a reason of their own when they refuse it.
    ///   - fill: Writes at most `capacity` bytes at the start of the buffer and returns how many.
    /// - Throws: `PINError`; the page is wiped first.
    package init(
        mayHoldControlBytes: Bool = false, fill: (UnsafeMutableRawBufferPointer) throws(PINError) -> Int
    ) throws(PINError) {
        guard var memory = SecretBuffer(capacity: Self.capacity, isLocked: true) else { throw .noMemory }
        _ = try unsafe memory.append(filling: fill)
        while memory.withBytes(Self.startsWithMark) { memory.removeFirst(3) }
        try memory.withBytes { (bytes) throws(PINError) in
            do throws(PINError) {
                try Self.check(bytes)
            } catch .controlByte where mayHoldControlBytes {
            }
        }
        self.memory = memory
    }

    /// U+FEFF.
    private static func startsWithMark(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    }

    /// Whether these bytes can be a PIN: text (PKCS#11 2.40 §11.6) without control characters. Modules hand it on as text: what
    /// follows a zero byte would be left out, and another PIN spend a try.
    package static func check(_ bytes: Span<UInt8>) throws(PINError) {
        guard bytes.count <= capacity else { throw .tooLong }
        guard !bytes.isEmpty else { throw .empty }
        // Which byte it was is no business of a message.
        guard (try? UTF8Span(validating: bytes)) != nil else { throw .notUTF8 }
        guard !holdsControlByte(bytes) else { throw .controlByte }
    }

    private static func holdsControlByte(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices where bytes[index] < 0x20 || bytes[index] == 0x7F { return true }
        return false
    }

    package var hasControlByte: Bool { memory.withBytes { Self.holdsControlByte($0) } }

    /// Lends the bytes for the length of `body`, which must not keep or copy them.
    package borrowing func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try memory.withBytes(body)
    }
}

/// Why bytes are no PIN.
package enum PINError: Error, Hashable, Sendable {
    case empty
    case tooLong
    /// A control character: a PIN file with more than one line, or a binary file.
    case controlByte
    case notUTF8
    case unreadable(errno: Int32)
    /// The file belongs to another user, is open to others, or is no regular file.
    case unsafeFile(reason: String)
    case noMemory
}
