import Glibc

/// How many descriptors this process may have (RLIMIT_NOFILE, getrlimit(2)).
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one: each idle connection needs one.
    ///
    /// - Returns: The limit now.
    @discardableResult
    package static func raise() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
        var wanted = limit
        // Beyond a million they are tables that cost memory, and connections that we do not take.
        wanted.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 1_048_576))
        let current = unsafe setrlimit(resource, &wanted) == 0 ? wanted.rlim_cur : limit.rlim_cur
        return Int(clamping: current)
    }
}
