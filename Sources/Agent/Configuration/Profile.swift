/// Where a profile's credentials come from, and who may have them.
package struct Profile: Hashable, Sendable {
    package var source: Source
    /// An absolute path to a PEM file, which replaces the system's roots.
    package var caBundle: String?
    package var allow = AllowList()
    /// The profiles whose sessions stand in, in order, while its own are not to be had.
    package var fallbacks: [ProfileName] = []
}

extension Profile {
    /// The certificate and key that it signs in with; nil where it has none of its own.
    var identity: IdentitySelector? { source.identity }
}
