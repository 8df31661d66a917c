#if !hasFeature(Embedded)
    package import LockedMemory
#endif

// No memory, and no room, end a client.
extension SecretBuffer {
    /// - Throws: Exit code 75 without memory.
    package init(capacity: Int, locked: Bool = false) throws(ClientFailure) {
        guard let buffer = SecretBuffer(capacity: capacity, isLocked: locked) else {
            throw ClientFailure(.temporaryFailure, "no memory is left", hint: "close other programs and try again")
        }
        self = buffer
    }

    /// - Throws: Exit code 64 when it does not fit.
    package mutating func append(_ bytes: Span<UInt8>) throws(ClientFailure) { try insert(bytes, before: count) }

    /// - Throws: Exit code 64 when it does not fit.
    package mutating func append(_ text: StaticString) throws(ClientFailure) {
        let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        try unsafe append(Span(_unsafeElements: bytes))
    }

    /// - Throws: Exit code 64 when it does not fit.
    package mutating func append(_ byte: UInt8) throws(ClientFailure) { try insert(byte, before: count) }

    /// - Throws: Exit code 64 when it does not fit.
    package mutating func insert(_ byte: UInt8, before index: Int) throws(ClientFailure) {
        let one: InlineArray<1, UInt8> = [byte]
        try insert(one.span, before: index)
    }

    /// - Throws: Exit code 64 when it does not fit.
    package mutating func insert(_ bytes: Span<UInt8>, before index: Int) throws(ClientFailure) {
        guard insert(bytes, at: index) else {
            throw ClientFailure(.usage, "the request is too long", hint: "give a shorter URI or PIN")
        }
    }
}
