import Glibc
package import SystemPackage

/// A PIN, in a page of its own: locked in memory, left out of core dumps and of forked children, wiped when it ends.
///
/// It is never a `String`, prints as nothing, and has one owner. `grep withBytes` finds every place that reads it.
@safe package struct PIN: ~Copyable, Sendable {
    /// The longest PIN in bytes that any token seen so far takes (SoftHSM: 255).
    package static let capacity = 255

    private nonisolated(unsafe) let page: UnsafeMutableRawPointer  // written by `init` alone
    package let count: Int

    /// Copies 1 to `capacity` bytes out of `fill`, which writes them straight into the locked page. A byte order mark
    /// before them, which editors add unseen, is left out; what is not UTF-8 is no PIN (PKCS#11 2.40 §11.6).
    ///
    /// - Parameter fill: Writes at most `capacity` bytes at the start of the buffer and returns how many.
    /// - Throws: `PINError`, or what `fill` throws; the page is wiped first.
    package init(
        fill: (UnsafeMutableRawBufferPointer) throws(PINError) -> Int
    ) throws(PINError) {
        let size = Self.pageSize
        guard
            let page = unsafe mmap(
                nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe page != MAP_FAILED
        else { throw .noMemory }
        // A limit on locked memory (RLIMIT_MEMLOCK) must not lock people out: the page stays out of dumps either way.
        _ = unsafe mlock(page, size)
        unsafe madvise(page, size, MADV_DONTDUMP)
        unsafe madvise(page, size, MADV_WIPEONFORK)
        var count: Int
        do throws(PINError) {
            count = try unsafe fill(UnsafeMutableRawBufferPointer(start: page, count: Self.capacity))
            count = try unsafe Self.checkedText(UnsafeMutableRawBufferPointer(start: page, count: count))
        } catch {
            unsafe Self.wipe(page)
            throw error
        }
        self.count = count
        unsafe self.page = page
    }

    deinit { unsafe Self.wipe(page) }

    /// Lends the bytes for the length of `body`, which must not keep or copy them.
    package borrowing func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: page, count: count))
    }

    /// The length of the text in `bytes` once its byte order mark is gone.
    private static func checkedText(_ bytes: UnsafeMutableRawBufferPointer) throws(PINError) -> Int {
        guard bytes.count <= capacity else { throw .tooLong }
        var count = bytes.count
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]  // U+FEFF
        if let start = bytes.baseAddress, unsafe bytes.starts(with: mark) {
            count -= mark.count
            unsafe memmove(start, start + mark.count, count)
            unsafe explicit_bzero(start + count, mark.count)
        }
        guard count > 0 else { throw .empty }
        let text = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<count]).assumingMemoryBound(to: UInt8.self)
        // Which byte it was is no business of a message.
        guard (try? unsafe UTF8Span(validating: text.span)) != nil else { throw .notUTF8 }
        return count
    }

    private static var pageSize: Int { sysconf(Int32(_SC_PAGESIZE)) }

    private static func wipe(_ page: UnsafeMutableRawPointer) {
        unsafe explicit_bzero(page, pageSize)
        unsafe munmap(page, pageSize)
    }
}

/// Why bytes are no PIN.
package enum PINError: Error, Hashable, Sendable {
    case empty
    case tooLong
    /// A control character: a PIN file with more than one line, or a binary file.
    case controlByte
    case notUTF8
    case unreadable(Errno)
    /// The file belongs to another user, is open to others, or is no regular file.
    case unsafeFile(reason: String)
    case noMemory
}
