import IoTCore
import RolesAnywhere

/// A `[profile.NAME]` by itself.
struct ProfileReading {
    enum ReadSource {
        case whole(Source)
        case assumeRole(AssumeRoleDraft)
    }

    let source: ReadSource
    private let caBundle: String?
    private let allow: AllowList
    let fallbacks: [ProfileName]
    /// Whether a fallback may have another role.
    let allowsOtherRole: Bool
    private let table: TableReader

    /// Nil, with a fault, where a required key is missing or wrong.
    init?(reading table: inout TableReader, accounts: AccountDirectory) {
        let kind = table.value("source", Source.kind)
        // The keys of a source that is not served here are not faults.
        if table.has("source"), kind == nil { return nil }
        let source = ReadSource(kind ?? .rolesAnywhere, reading: &table)
        caBundle = table.absolutePath("ca-bundle")
        if var list = table.table("allow", title: table.title.dropLast() + ".allow]") {
            allow = AllowList(reading: &list, accounts: accounts)
        } else {
            allow = AllowList()
        }
        fallbacks = table.list("fallback") { node throws(ValueFault) in try ProfileName(reading: node) }
        allowsOtherRole = table.boolean("fallback-other-role") ?? false
        table.refuseUnknownKeys()
        if fallbacks.count > Self.mostFallbacks {
            table.fault(
                at: table.lineOf("fallback"),
                "fallback names \(fallbacks.count) profiles; give at most \(Self.mostFallbacks)")
        }
        self.table = table
        guard let source else { return nil }
        self.source = source
    }

    /// A caller may wait for each of them.
    private static let mostFallbacks = 4

    func profile(_ source: Source) -> Profile {
        Profile(source: source, caBundle: caBundle, allow: allow, fallbacks: fallbacks)
    }

    func faultInFallback(_ message: @autoclosure () -> String) {
        table.fault(at: table.lineOf("fallback"), message())
    }
}

extension ProfileReading.ReadSource {
    /// Reads the keys that belong to the source; nil, with a fault, where a required one is missing or wrong.
    fileprivate init?(_ kind: Source.Kind, reading table: inout TableReader) {
        switch kind {
        case .rolesAnywhere:
            let identity = IdentitySelector(reading: &table)
            guard let request = CreateSessionRequest(reading: &table) else { return nil }
            self = .whole(.rolesAnywhere(identity, request))
        case .iotCore:
            let identity = IdentitySelector(reading: &table)
            guard let request = RoleAliasRequest(reading: &table) else { return nil }
            self = .whole(.iotCore(identity, request))
        case .accessKey:
            guard let key = TokenAccessKey(reading: &table) else { return nil }
            self = .whole(.accessKey(key))
        case .assumeRole:
            guard let draft = AssumeRoleDraft(reading: &table) else { return nil }
            self = .assumeRole(draft)
        }
    }
}
