import Glibc
import NIOCore

/// The bytes of a connection that are not answered yet: one place, wiped whenever bytes leave it, because a request may
/// carry a PIN. An empty one owns no memory.
@safe struct RequestBuffer: ~Copyable {
    private var storage = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var count = 0

    deinit { unsafe Self.free(storage) }

    var isEmpty: Bool { count == 0 }

    /// The memory that it owns, in bytes.
    var capacity: Int { unsafe storage.count }

    /// Takes all bytes out of `received`, and wipes them there.
    mutating func append(_ received: inout ByteBuffer) {
        reserve(count + received.readableBytes)
        let (memory, start) = unsafe (storage, count)
        unsafe received.withUnsafeReadableBytes { source in
            guard let bytes = source.baseAddress else { return }
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: source)
            // Through the read-only pointer on purpose: NIO's recycled buffer shares this storage, so that
            // `withUnsafeMutableReadableBytes` would make a copy, wipe that, and leave the PIN where it is.
            unsafe explicit_bzero(UnsafeMutableRawPointer(mutating: bytes), source.count)
        }
        count += received.readableBytes
        received.clear()
    }

    /// Wipes the first bytes and moves the rest to the front.
    mutating func removeFirst(_ removed: Int) {
        precondition(removed <= count)
        guard removed < count else { return removeAll() }
        let rest = count - removed
        unsafe storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[removed..<count]))
        unsafe Self.wipe(UnsafeMutableRawBufferPointer(rebasing: storage[rest..<count]))
        count = rest
    }

    mutating func removeAll() {
        unsafe Self.free(storage)
        unsafe storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        count = 0
    }

    /// Lends the bytes for the length of `body`.
    func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: storage[..<count]).assumingMemoryBound(to: UInt8.self)
        return try body(unsafe bytes.span)
    }

    /// Moves to a larger place by hand: realloc(3) would leave a copy behind.
    private mutating func reserve(_ needed: Int) {
        guard unsafe needed > storage.count else { return }
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, storage.count * 2, 512), alignment: 16)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<count]))
        unsafe Self.free(storage)
        unsafe storage = larger
    }

    private static func free(_ storage: UnsafeMutableRawBufferPointer) {
        unsafe wipe(storage)
        unsafe storage.deallocate()
    }

    private static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
        if let start = bytes.baseAddress { unsafe explicit_bzero(start, bytes.count) }
    }
}
