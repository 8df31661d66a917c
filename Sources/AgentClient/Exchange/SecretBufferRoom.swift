#if !hasFeature(Embedded)
    import LockedMemory
#endif

// No memory, and no room, end a client.
extension SecretBuffer {
    /// - Throws: Exit code 75 without memory.
    static func make(capacity: Int, isLocked: Bool = false) throws(ClientFailure) -> SecretBuffer {
        guard let buffer = SecretBuffer(capacity: capacity, isLocked: isLocked) else {
            throw ClientFailure(.temporaryFailure, "no memory is left", hint: "close other programs and try again")
        }
        return buffer
    }

    /// - Throws: Exit code 64 when it does not fit.
    mutating func insert(_ bytes: Span<UInt8>, before index: Int) throws(ClientFailure) {
        guard insert(bytes, at: index) else { throw .tooLongRequest }
    }
}
