import AWSNames
package import IoTCore
import PlainText
package import RolesAnywhere

/// What a profile's sessions are asked of, with the settings that this takes.
package enum Source: Hashable, Sendable {
    case rolesAnywhere(IdentitySelector, CreateSessionRequest)
    case iotCore(IdentitySelector, RoleAliasRequest)
    case assumeRole(AssumeRole)
    case accessKey(TokenAccessKey)
}

extension Source {
    /// As `source` names it in a file.
    package enum Kind: String, CaseIterable, Sendable {
        case rolesAnywhere = "roles-anywhere"
        case iotCore = "iot-core"
        case assumeRole = "assume-role"
        case accessKey = "access-key"
    }

    package var kind: Kind {
        switch self {
        case .rolesAnywhere: .rolesAnywhere
        case .iotCore: .iotCore
        case .assumeRole: .assumeRole
        case .accessKey: .accessKey
        }
    }

    /// The certificate and key of its own; nil where it has none.
    var identity: IdentitySelector? {
        switch self {
        case .rolesAnywhere(let identity, _), .iotCore(let identity, _): identity
        case .assumeRole, .accessKey: nil
        }
    }

    /// The role whose credentials it gives; nil where there is none, or only the service knows it.
    var roleARN: ARN? {
        switch self {
        case .rolesAnywhere(_, let request): request.scope.roleARN
        case .iotCore, .accessKey: nil
        case .assumeRole(let role): role.request.roleARN
        }
    }

    /// The profile whose sessions its own are made of.
    var base: ProfileName? { if case .assumeRole(let role) = self { role.base } else { nil } }

    static func kind(_ node: TOMLNode) throws(ValueFault) -> Kind {
        let text = try node.text()
        guard let kind = Kind(rawValue: text) else {
            let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValueFault(" is \(text.quoted); give one of \(names)")
        }
        return kind
    }
}
