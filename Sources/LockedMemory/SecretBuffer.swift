import CLinux

/// Bytes that may be a PIN or a credential: in pages of their own, left out of core dumps, wiped when the owner lets go.
///
/// It never moves and never grows, so no copy stays behind. Pages that nothing was written to cost nothing.
@safe package struct SecretBuffer: ~Copyable, Sendable {
    private nonisolated(unsafe) let start: UnsafeMutableRawPointer  // written to by the one owner alone
    package let capacity: Int
    package private(set) var count = 0

    /// - Parameter isLocked: Keeps the pages out of swap, and out of forked children.
    /// - Returns: nil without memory.
    package init?(capacity: Int, isLocked: Bool) {
        guard
            let start = unsafe mmap(nil, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            UInt(bitPattern: start) != .max  // MAP_FAILED
        else { return nil }
        unsafe madvise(start, capacity, MADV_DONTDUMP)
        if isLocked {
            // A limit on locked memory (RLIMIT_MEMLOCK) must not lock people out: the pages stay out of dumps either way.
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

    /// Lets `fill` write into the free part; it returns how many bytes it wrote, from the start. What it wrote before it threw is
    /// wiped.
    package mutating func append<Failure: Error>(
        filling fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let room = unsafe UnsafeMutableRawBufferPointer(start: start + count, count: capacity - count)
        do throws(Failure) {
            let written = try unsafe fill(room)
            precondition((0...room.count).contains(written))
            count += written
            return written
        } catch {
            unsafe explicit_bzero(start + count, room.count)
            throw error
        }
    }

    /// - Parameter index: At most `count`.
    /// - Returns: Whether it fits; if not, nothing has changed.
    package mutating func insert(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        precondition((0...count).contains(index))
        guard bytes.count <= capacity - count else { return false }
        unsafe memmove(start + index + bytes.count, start + index, count - index)
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: start + index, count: source.count).copyMemory(from: source)
        }
        count += bytes.count
        return true
    }

    /// Takes the first bytes away; the others move to the front.
    package mutating func removeFirst(_ removed: Int) {
        precondition((0...count).contains(removed))
        unsafe memmove(start, start + removed, count - removed)
        removeLast(removed)
    }

    /// Takes the last bytes away, or all.
    package mutating func removeLast(_ removed: Int = .max) {
        let kept = max(0, count - removed)
        unsafe explicit_bzero(start + kept, count - kept)
        count = kept
    }

    /// Lends the bytes for the length of `body`, which must not keep or copy them.
    package borrowing func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count).bindMemory(to: UInt8.self)
        return try unsafe body(Span(_unsafeElements: bytes))
    }
}
