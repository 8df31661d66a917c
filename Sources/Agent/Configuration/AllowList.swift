import Files

/// The users and groups that may use a profile beside the agent's own user; empty if the profile has no `allow` table.
package struct AllowList: Hashable, Sendable {
    package var users: Set<UInt32>
    package var groups: Set<UInt32>
    /// Whether their requests may have a person act: touch the token, or type on its keypad.
    package var gestures: Bool

    package init(users: Set<UInt32>, groups: Set<UInt32>, gestures: Bool = false) {
        self.gestures = gestures
        self.users = users
        self.groups = groups
    }
}

extension AllowList {
    /// The listed users and groups that no caller can be seen as.
    func unseen(users: KnownIDs, groups: KnownIDs) -> [String] {
        self.users.filter { !users.contains($0) }.sorted().map { "user \($0)" }
            + self.groups.filter { !groups.contains($0) }.sorted().map { "group \($0)" }
    }
}
