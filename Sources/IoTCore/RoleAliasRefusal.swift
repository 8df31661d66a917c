package import ServiceAnswers

/// An answer of IoT Core's credential provider that brought no credentials, or none to trust.
package typealias RoleAliasError = ServiceError<RoleAliasRefusal>

/// Why the credential provider gives no session.
package enum RoleAliasRefusal: ServiceRefusal {
    /// The certificate may not use the role alias, or the provider does not know the one or the other.
    case accessDenied
    /// The provider found the request at fault.
    case rejected
    /// Roles Anywhere, or another service, that knows no role aliases.
    case notFound

    package static let service = "IoT Core"
    package static let format = "JSON"
    package static let pace = "the service is asked again by itself"

    package var isDenial: Bool { self == .accessDenied }

    /// Nothing that is signed has a date.
    package var clockTolerance: UInt64? { nil }

    /// The remedy, in one line.
    ///
    /// - Parameter certificate: The certificate's serial number, as text for people.
    package func hint(for request: RoleAliasRequest, certificate: String) -> String {
        let thing = request.thingName.map { ", and that thing-name \($0) is its thing" } ?? ""
        return switch self {
        case .accessDenied:
            "check that the certificate with serial \(certificate) is registered in IoT and ACTIVE, that a policy attached "
                + "to this very certificate allows iot:AssumeRoleWithCertificate on role alias \(request.roleAlias)"
                + "\(thing), and that the alias' role trusts credentials.iot.amazonaws.com"
        case .rejected: "check role-alias and thing-name"
        case .notFound:
            "check endpoint, which 'aws iot describe-endpoint --endpoint-type iot:CredentialProvider' tells, and role-alias"
        }
    }
}
