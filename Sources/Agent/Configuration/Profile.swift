/// Where a profile's credentials come from, and who may have them.
package struct Profile: Hashable, Sendable {
    package var source: Source
    /// An absolute path to a PEM file, which replaces the system's roots.
    package var caBundle: String?
    package var allow = AllowList()
}

extension Profile {
    /// The certificate and key that it signs in with; nil where it has none of its own.
    var identity: IdentitySelector? { source.identity }

    /// Reads a `[profile.NAME]`; nil, with a fault, where a required key is missing or wrong.
    init?(reading table: inout TableReader, accounts: AccountDirectory) {
        let kind = table.value("source", Source.kind)
        // The keys of a source that is not served here are not faults.
        if table.has("source"), kind == nil { return nil }
        let source = Source(kind ?? .rolesAnywhere, reading: &table)
        let caBundle = table.absolutePath("ca-bundle")
        var allow = AllowList()
        if var list = table.table("allow", title: table.title.dropLast() + ".allow]") {
            allow = AllowList(reading: &list, accounts: accounts)
        }
        table.refuseUnknownKeys()
        guard let source else { return nil }
        self.init(source: source, caBundle: caBundle, allow: allow)
    }
}
