package import PKCS11URI
package import TokenService

/// A token as one of the workers sees it.
package struct PresentToken: Hashable, Sendable {
    /// Which worker, by the caller's numbering. A card that two modules see is there twice.
    package var module: Int
    /// The attributes that URIs are matched with.
    package var location: LocatedToken
    package var snapshot: TokenSnapshot
    /// It names the module as well where another one shows an equal token.
    var uri: PKCS11URI

    package init(module: Int, location: LocatedToken, snapshot: TokenSnapshot) {
        self.module = module
        self.location = location
        self.snapshot = snapshot
        uri = PKCS11URI(token: snapshot.token)
    }
}

extension TokenSnapshot {
    /// True if there may be objects that the token shows only after a login.
    var hidesObjects: Bool { flags.contains(.loginRequired) && !isLoggedIn }
}
