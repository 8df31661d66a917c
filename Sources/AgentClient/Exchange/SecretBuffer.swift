import CLinux

/// Bytes that may be a credential or a PIN: in pages of their own, left out of core dumps, wiped when the owner lets go.
///
/// It never moves and never grows, so no copy stays behind. Pages that nothing was written to cost nothing.
@safe package struct SecretBuffer: ~Copyable {
    private let start: UnsafeMutableRawPointer
    package let capacity: Int
    package private(set) var count = 0

    /// - Parameter locked: Keeps the pages out of swap, and out of forked children.
    package init(capacity: Int, locked: Bool = false) throws(ClientFailure) {
        guard
            let start = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            UInt(bitPattern: start) != .max  // MAP_FAILED
        else {
            throw ClientFailure(.temporaryFailure, "no memory is left", hint: "close other programs and try again")
        }
        unsafe madvise(start, capacity, MADV_DONTDUMP)
        if locked {
            // A limit on locked memory (RLIMIT_MEMLOCK) must not lock people out: the pages stay out of dumps anyway.
            _ = unsafe mlock(start, capacity)
            unsafe madvise(start, capacity, MADV_WIPEONFORK)
        }
        self.capacity = capacity
        unsafe self.start = start
    }

    deinit {
        unsafe explicit_bzero(start, count)
        unsafe munmap(start, capacity)
    }

    var room: Int { capacity - count }

    /// - Throws: Exit code 64 when it does not fit.
    package mutating func append(_ bytes: Span<UInt8>) throws(ClientFailure) {
        guard bytes.count <= room else {
            throw ClientFailure(.usage, "the request is too long", hint: "give a shorter URI or PIN")
        }
        unsafe bytes.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(start: start + count, count: room).copyMemory(from: $0)
        }
        count += bytes.count
    }

    /// - Throws: Exit code 64 when it does not fit.
    package mutating func append(_ text: StaticString) throws(ClientFailure) {
        let bytes = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        try unsafe append(Span(_unsafeElements: bytes))
    }

    /// - Throws: Exit code 64 when it does not fit.
    package mutating func append(_ byte: UInt8) throws(ClientFailure) {
        let one: InlineArray<1, UInt8> = [byte]
        try append(one.span)
    }

    /// Lets `fill` write into the free part; it returns how many bytes it wrote, from the start.
    package mutating func append<Failure: Error>(
        filling fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let written = try unsafe fill(UnsafeMutableRawBufferPointer(start: start + count, count: room))
        precondition((0...room).contains(written))
        count += written
        return written
    }

    /// Overwrites and forgets the last `bytes` of what is there, or all of it.
    package mutating func wipe(last bytes: Int = .max) {
        let kept = max(0, count - bytes)
        unsafe explicit_bzero(start + kept, count - kept)
        count = kept
    }

    /// Lends the bytes for the length of `body`.
    package borrowing func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count).bindMemory(to: UInt8.self)
        return try unsafe body(Span(_unsafeElements: bytes))
    }
}
