import AWSNames
package import IoTCore
import PlainText
package import RolesAnywhere

/// What a profile's sessions are asked of, with the settings that this takes.
package enum Source: Hashable, Sendable {
    case rolesAnywhere(IdentitySelector, CreateSessionRequest)
    case iotCore(IdentitySelector, RoleAliasRequest)
}

extension Source {
    /// As `source` names it in a file.
    package enum Kind: String, CaseIterable, Sendable {
        case rolesAnywhere = "roles-anywhere"
        case iotCore = "iot-core"
        case assumeRole = "assume-role"

        /// Whether there is code that obtains its sessions.
        fileprivate var isServed: Bool { self != .assumeRole }
    }

    package var kind: Kind {
        switch self {
        case .rolesAnywhere: .rolesAnywhere
        case .iotCore: .iotCore
        }
    }

    /// The certificate and key of its own; nil where it has none.
    var identity: IdentitySelector? {
        switch self {
        case .rolesAnywhere(let identity, _), .iotCore(let identity, _): identity
        }
    }

    /// The role whose credentials it gives; nil where only the service knows.
    var roleARN: ARN? {
        switch self {
        case .rolesAnywhere(_, let request): request.scope.roleARN
        case .iotCore: nil
        }
    }

    /// Reads the keys of a profile that belong to its source; nil, with a fault, where a required one is missing or wrong.
    init?(_ kind: Kind, reading table: inout TableReader) {
        switch kind {
        case .rolesAnywhere:
            let identity = IdentitySelector(reading: &table)
            guard let request = CreateSessionRequest(reading: &table) else { return nil }
            self = .rolesAnywhere(identity, request)
        case .iotCore:
            let identity = IdentitySelector(reading: &table)
            guard let request = RoleAliasRequest(reading: &table) else { return nil }
            self = .iotCore(identity, request)
        case .assumeRole: return nil
        }
    }

    static func kind(_ node: TOMLNode) throws(ValueFault) -> Kind {
        let text = try node.text()
        guard let kind = Kind(rawValue: text) else {
            let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValueFault(" is \(text.quoted); give one of \(names)")
        }
        guard kind.isServed else {
            throw ValueFault(" is \(text.quoted), which this version does not serve yet; use \"roles-anywhere\"")
        }
        return kind
    }
}
