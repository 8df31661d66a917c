import Glibc
import NIOCore

/// The bytes of a connection that are not answered yet, wiped whenever they leave, because a request may carry a PIN. An empty
/// one owns no memory.
///
/// A request that one read has brought whole is read where NIO has put it. The rest of a read, and the continuation of
/// a request, are copied to a place of their own, and wiped where they were.
///
/// So the PIN of an `unlock` that comes in several reads passes one buffer more than others: where its peer sends it in
/// pieces, or where it is longer than the 1,024 bytes of NIO's reads and comes after `FirstLook`, which reads it in one piece.
/// That stays: reads that are as long as the longest `unlock` would cost each idle connection 8 KiB, and what `tokenward`
/// sends has some hundred bytes.
@safe struct RequestBuffer: ~Copyable {
    /// The bytes just read, if none were waiting.
    private var fresh: ByteBuffer?
    private var storage = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var kept = 0

    deinit {
        if let fresh { fresh.wipeInPlace() }
        unsafe Self.free(storage)
    }

    var count: Int { fresh?.readableBytes ?? kept }

    var isEmpty: Bool { count == 0 }

    /// The memory that it owns, in bytes.
    var capacity: Int { unsafe storage.count }

    /// Takes all bytes out of `received`. Call `keep` when all has been made of them that can be.
    mutating func append(_ received: consuming ByteBuffer) {
        keep()
        if kept == 0 {
            fresh = received
        } else {
            copy(received)
        }
    }

    /// Brings what has been read to a place of its own, because NIO reads into the same memory again.
    mutating func keep() {
        guard let received = fresh.take() else { return }
        copy(received)
    }

    /// Wipes the first bytes and moves the rest to the front.
    mutating func removeFirst(_ removed: Int) {
        precondition(removed <= count)
        guard removed < count else { return removeAll() }
        guard fresh == nil else {
            if let head = fresh?.readSlice(length: removed) { head.wipeInPlace() }
            return
        }
        let rest = kept - removed
        unsafe storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[removed..<kept]))
        unsafe Self.wipe(UnsafeMutableRawBufferPointer(rebasing: storage[rest..<kept]))
        kept = rest
    }

    mutating func removeAll() {
        if let received = fresh.take() { received.wipeInPlace() }
        unsafe Self.free(storage)
        unsafe storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        kept = 0
    }

    /// Lends the bytes for the length of `body`.
    func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let fresh else {
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: storage[..<kept]).assumingMemoryBound(to: UInt8.self)
            return try body(unsafe bytes.span)
        }
        return try body(fresh.readableBytesUInt8Span)
    }

    private mutating func copy(_ received: ByteBuffer) {
        reserve(kept + received.readableBytes)
        let (memory, start) = unsafe (storage, kept)
        unsafe received.withUnsafeReadableBytes { source in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: source)
        }
        received.wipeInPlace()
        kept += received.readableBytes
    }

    /// Moves to a larger place by hand: realloc(3) would leave a copy behind.
    private mutating func reserve(_ needed: Int) {
        guard unsafe needed > storage.count else { return }
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, storage.count * 2, 512), alignment: 16)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<kept]))
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

extension ByteBuffer {
    /// Zeroes the bytes where they are. Through the read-only pointer on purpose: NIO's recycled buffer shares this storage,
    /// so that `withUnsafeMutableReadableBytes` would make a copy, wipe that, and leave the PIN where it is.
    func wipeInPlace() {
        unsafe withUnsafeReadableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe explicit_bzero(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
    }
}
