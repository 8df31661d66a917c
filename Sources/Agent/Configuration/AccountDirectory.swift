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
    package static var system: Self {
        Self(ownUser: geteuid(), user: Self.systemUser, group: Self.systemGroup)
    }

    private static func systemUser(_ name: String) -> UInt32? {
        unsafe withGrowingBuffer { buffer, capacity in
            var entry = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>?
            let error = unsafe getpwnam_r(name, &entry, buffer, capacity, &found)
            return (error, unsafe found?.pointee.pw_uid)
        }
    }

    private static func systemGroup(_ name: String) -> UInt32? {
        unsafe withGrowingBuffer { buffer, capacity in
            var entry = unsafe Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            let error = unsafe getgrnam_r(name, &entry, buffer, capacity, &found)
            return (error, unsafe found?.pointee.gr_gid)
        }
    }

    /// A group with many members needs much room, which only ERANGE tells. Any other error counts as unknown: if the
    /// name service does not answer, no user is let in.
    private static func withGrowingBuffer(
        _ body: (UnsafeMutablePointer<CChar>, Int) -> (error: Int32, id: UInt32?)
    ) -> UInt32? {
        var capacity = 1024
        while capacity <= 1 << 20 {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
            defer { unsafe buffer.deallocate() }
            let answer = unsafe body(buffer, capacity)
            if answer.error != ERANGE { return answer.id }
            capacity *= 2
        }
        return nil
    }
}
