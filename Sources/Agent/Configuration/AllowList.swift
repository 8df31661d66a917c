/// Who may use a profile beside the agent's own user; empty where the profile has no `allow` table.
package struct AllowList: Hashable, Sendable {
    package var users: Set<UInt32>
    package var groups: Set<UInt32>

    package init(users: Set<UInt32>, groups: Set<UInt32>) {
        self.users = users
        self.groups = groups
    }
}
