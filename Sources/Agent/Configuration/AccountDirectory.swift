import Glibc

/// The users and groups of this system.
package struct AccountDirectory: Sendable {
    /// The user that the agent runs as.
    package let ownUser: UInt32
    /// The id of a user by name; nil when there is none.
    package let user: @Sendable (String) -> UInt32?
    /// The id of a group by name; nil when there is none.
    package let group: @Sendable (String) -> UInt32?

    package init(
        ownUser: UInt32, user: @escaping @Sendable (String) -> UInt32?, group: @escaping @Sendable (String) -> UInt32?
    ) {
        self.ownUser = ownUser
        self.user = user
        self.group = group
    }

    /// The name service of this system. It may ask the network, and block.
    package static let system = Self(
        ownUser: geteuid(),
        user: { name in unsafe id(passwd(), \.pw_uid) { unsafe getpwnam_r(name, &$0, $1, $2, &$3) } },
        group: { name in unsafe id(Glibc.group(), \.gr_gid) { unsafe getgrnam_r(name, &$0, $1, $2, &$3) } })

    /// A group with many members needs much room, which only ERANGE tells. Any other error counts as unknown: if the
    /// name service does not answer, no user is let in.
    private static func id<Entry>(
        _ empty: Entry, _ id: (Entry) -> UInt32,
        _ find: (inout Entry, UnsafeMutablePointer<CChar>, Int, inout UnsafeMutablePointer<Entry>?) -> CInt
    ) -> UInt32? {
        var capacity = 1024
        while capacity <= 1 << 20 {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
            defer { unsafe buffer.deallocate() }
            var entry = empty
            var found: UnsafeMutablePointer<Entry>?
            let error = unsafe find(&entry, buffer, capacity, &found)
            if error != ERANGE { return unsafe found.map { unsafe id($0.pointee) } }
            capacity *= 2
        }
        return nil
    }
}
