package import TokenService

/// A token as one of the workers sees it.
package struct PresentToken: Hashable, Sendable {
    /// Which worker, by the caller's numbering. A card that two modules see is there twice.
    package var module: Int
    package var snapshot: TokenSnapshot

    package init(module: Int, snapshot: TokenSnapshot) {
        self.module = module
        self.snapshot = snapshot
    }
}

extension TokenSnapshot {
    /// True where objects may be there that nobody sees before a login.
    var hidesObjects: Bool { flags.contains(.loginRequired) && !isLoggedIn }
}
