package import RolesAnywhere

/// Where a profile's credentials come from, and who may have them.
package struct Profile: Hashable, Sendable {
    package var identity: IdentitySelector
    package var session: CreateSessionRequest
    /// An absolute path to a PEM file, which replaces the system's roots.
    package var caBundle: String?
    package var allow: AllowList

    package init(
        identity: IdentitySelector, session: CreateSessionRequest, caBundle: String? = nil, allow: AllowList
    ) {
        self.identity = identity
        self.session = session
        self.caBundle = caBundle
        self.allow = allow
    }
}
