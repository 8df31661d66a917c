import PlainText
package import RolesAnywhere

/// Where a profile's credentials come from, and who may have them.
package struct Profile: Hashable, Sendable {
    package var identity: IdentitySelector
    package var session: CreateSessionRequest
    /// An absolute path to a PEM file, which replaces the system's roots.
    package var caBundle: String?
    package var allow = AllowList()
}

extension Profile {
    private enum Source: String, CaseIterable {
        case rolesAnywhere = "roles-anywhere"
        case iotCore = "iot-core"
        case assumeRole = "assume-role"
    }

    /// Reads a `[profile.NAME]`; nil, with a fault, where a required key is missing or wrong.
    init?(reading table: inout TableReader, accounts: AccountDirectory) {
        let source = table.value("source", Self.source)
        // The keys of a source that is not served here are not faults.
        if table.has("source"), source == nil { return nil }
        let identity = IdentitySelector(reading: &table)
        let session = CreateSessionRequest(reading: &table)
        let caBundle = table.absolutePath("ca-bundle")
        var allow = AllowList()
        if var list = table.table("allow", title: table.title.dropLast() + ".allow]") {
            allow = AllowList(reading: &list, accounts: accounts)
        }
        table.refuseUnknownKeys()
        guard let session else { return nil }
        self.init(identity: identity, session: session, caBundle: caBundle, allow: allow)
    }

    private static func source(_ node: TOMLNode) throws(ValueFault) -> Source {
        let text = try node.text()
        guard let source = Source(rawValue: text) else {
            let names = Source.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValueFault(" is \(text.quoted); give one of \(names)")
        }
        guard source == .rolesAnywhere else {
            throw ValueFault(" is \(text.quoted), which this version does not serve yet; use \"roles-anywhere\"")
        }
        return source
    }
}
