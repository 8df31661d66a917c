/// On whose behalf a token signs: those whom a profile lets in. Profiles for the same people share one flow, so that who
/// has a hundred of them takes no more turns on a shared token than who has one.
package struct SigningFlow: Hashable, Sendable {
    private let users: Set<UInt32>
    private let groups: Set<UInt32>

    package init(users: Set<UInt32>, groups: Set<UInt32>) {
        self.users = users
        self.groups = groups
    }
}
