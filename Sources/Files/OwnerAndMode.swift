package import SystemPackage

/// Who may own a file that decides something, and what its mode must not allow. The owner of a file may change it and
/// its mode, and a user who may write to a folder may put another file in its place.
package struct OwnerAndMode: Sendable {
    private let type: FileType?
    private let owners: Set<CInterop.UserID>
    private let forbidden: FilePermissions
    private let stickyOwners: Set<CInterop.UserID>

    /// - Parameters:
    ///   - type: What it must be.
    ///   - owners: Users, by number.
    ///   - forbidden: The permissions that it must have none of.
    ///   - stickyOwners: Whose folders may have them after all where they are sticky: others can add files there, and not
    ///     touch those of their neighbours (inode(7)).
    package init(
        _ type: FileType? = nil, of owners: Set<CInterop.UserID>, forbidden: FilePermissions = [],
        unlessStickyOf stickyOwners: Set<CInterop.UserID> = []
    ) {
        self.type = type
        self.owners = owners
        self.forbidden = forbidden
        self.stickyOwners = stickyOwners
    }

    /// Why a file is not to be trusted.
    package enum Breach: Hashable, Sendable {
        case type
        /// Its owner has no number in the user namespace, and may be any user.
        case hiddenOwner
        case owner(CInterop.UserID)
        /// In octal, as chmod(1) has it.
        case mode(String)
    }

    /// - Returns: Nil for a file that is as this rule wants it.
    package func breach(of file: Stat) -> Breach? {
        if let type, file.type != type { return .type }
        let owner = file.userID.rawValue
        guard !KnownIDs.users.hides(owner) else { return .hiddenOwner }
        guard owners.contains(owner) else { return .owner(owner) }
        let permissions = file.permissions
        guard !permissions.isDisjoint(with: forbidden) else { return nil }
        if file.type == .directory, permissions.contains(.saveText), stickyOwners.contains(owner) { return nil }
        return .mode(String(permissions.rawValue, radix: 8))
    }
}
