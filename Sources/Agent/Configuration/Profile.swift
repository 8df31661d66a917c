/// Where a profile's credentials come from, and who may have them.
package struct Profile: Hashable, Sendable {
    package var identity: IdentitySelector
    package var session: SessionRequest
    package var allow: AllowList

    package init(identity: IdentitySelector, session: SessionRequest, allow: AllowList) {
        self.identity = identity
        self.session = session
        self.allow = allow
    }
}
