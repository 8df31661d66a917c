package import LockedMemory

/// The secret of a frame, in a locked page that several owners keep alive; wiped when the last one lets go.
package final class HeldSecret: Sendable {
    private let memory: SecretBuffer

    package init(_ memory: consuming SecretBuffer) { self.memory = memory }

    package var count: Int { memory.count }

    /// Lends the bytes for the length of `body`, which must not keep or copy them.
    package func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try memory.withBytes(body)
    }
}

/// One is another's equal where it is the same one: what is in them is not compared.
extension HeldSecret: Hashable {
    package static func == (one: HeldSecret, other: HeldSecret) -> Bool { one === other }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
