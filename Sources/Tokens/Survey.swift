package import AgentAPI
import ModuleFiles
package import PKCS11URI
package import TokenService

/// A token as the agent found it, and where.
package struct FoundToken: Sendable {
    var module: ModuleIdentity
    /// The module's name for people, see `ModuleNames`.
    package var shownModule: String
    /// The token with its module, as URIs match it.
    package var located: LocatedToken
    package var snapshot: TokenSnapshot
    package var isLocked: Bool
    package var isBlocked: Bool
    package var rule: TokenRule?
    /// When the login of a typed PIN ends, in milliseconds of boot time.
    package var loginEnds: Int64?
    /// The gesture that the token waits for just now.
    package var awaited: Gesture?
    /// The token has been sent a PIN that may have cost a try, and tells nothing of its count.
    package var hidesCount = false
    /// The URI that means this token: it names the module as well where another one shows such a token.
    package var uri: PKCS11URI
    /// The URI that the caller means it by, where that names a module.
    var meantBy: PKCS11URI?

    package var key: TokenKey { TokenKey(module: module, token: snapshot.token) }

    /// The same token as a URI means it that matches it.
    package func meant(by uri: PKCS11URI) -> FoundToken {
        var token = self
        token.meantBy = uri.namesModule ? uri : nil
        return token
    }

    package var hasStoredPIN: Bool { rule?.pinSource.isStored == true }

    /// Whether the token hides objects and refuses signatures as it is.
    package var needsLogin: Bool { snapshot.flags.contains(.loginRequired) && !snapshot.isLoggedIn }

    func problem(_ failure: LoginFailure) -> Problem { failure.problem(for: snapshot.token) }
}

/// A module as the agent found it.
package struct FoundModule: Sendable {
    /// Its name for people, see `ModuleNames`.
    package var name: String
    package var failure: String?
    /// The failure where it passes by itself: until then it is not known which tokens the module has.
    package var outage: Problem?
}

/// All modules and tokens at one moment.
package struct Survey: Sendable {
    package var modules: [FoundModule]
    package var tokens: [FoundToken]
}

extension ModuleReport {
    /// Nil where the module has not told its version, and so nothing else.
    var library: LibraryDescription? {
        LibraryVersion(decimal: Array(version.utf8)[...]).map {
            LibraryDescription(manufacturer: manufacturer, description: description, version: $0)
        }
    }
}
