import Glibc

/// A page that secrets pass through: locked in memory, left out of core dumps and of forked children, wiped at its end.
@safe struct LockedPage: ~Copyable {
    let start: UnsafeMutableRawPointer
    let count: Int

    /// Nil without memory.
    init?() {
        let size = sysconf(Int32(_SC_PAGESIZE))
        guard let page = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe page != MAP_FAILED
        else { return nil }
        // A limit on locked memory (RLIMIT_MEMLOCK) must not lock people out: the page stays out of dumps either way.
        _ = unsafe mlock(page, size)
        unsafe madvise(page, size, MADV_DONTDUMP)
        unsafe madvise(page, size, MADV_WIPEONFORK)
        unsafe start = page
        count = size
    }

    deinit {
        unsafe explicit_bzero(start, count)
        unsafe munmap(start, count)
    }

    var bytes: UnsafeMutableRawBufferPointer { unsafe UnsafeMutableRawBufferPointer(start: start, count: count) }
}
