import LockedMemory
import TokenService
import X509

extension HeldSecret {
    /// The last of a chain of HMACs: the first with this key over the first text, each other with the result of the one
    /// before it. The keys between stay in locked pages, and are wiped.
    ///
    /// - Returns: Nil without memory.
    func hmacs(_ texts: [[UInt8]]) -> [UInt8]? {
        guard var key = SecretBuffer(capacity: Self.room, isLocked: true) else { return nil }
        let isCopied = withBytes { key.insert($0, at: 0) }
        guard isCopied, let last = texts.last else { return nil }
        for text in texts.dropLast() {
            guard var next = SecretBuffer(capacity: Self.room, isLocked: true) else { return nil }
            let count = unsafe next.append { room in
                key.withBytes { key in unsafe Digest.hmac(key: key, text, into: room) }
            }
            guard count > 0 else { return nil }
            key = next
        }
        let result = unsafe [UInt8](unsafeUninitializedCapacity: Self.room) { buffer, count in
            count = key.withBytes { key in
                unsafe Digest.hmac(key: key, last, into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
        return result.isEmpty ? nil : result
    }

    private static var room: Int { 32 }
}
