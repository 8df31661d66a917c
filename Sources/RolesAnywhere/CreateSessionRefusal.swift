import AWSNames
package import ServiceAnswers

/// An answer to CreateSession that brought no credentials, or none to trust.
package typealias CreateSessionError = ServiceError<CreateSessionRefusal>

/// Why Roles Anywhere gives no session.
package enum CreateSessionRefusal: ServiceRefusal {
    /// No trust anchor leads to the certificate.
    case untrustedCertificate
    case invalidSignature
    /// The Roles Anywhere profile does not let callers choose the session's name.
    case roleSessionNameRefused
    /// Any other refusal: trust policy, revocation, expiry, a role that the profile does not list.
    case accessDenied
    /// The service found a parameter at fault.
    case validation
    /// The trust anchor or the profile does not exist in this region, or is disabled.
    case notFound

    package static let service = "Roles Anywhere"
    package static let format = "JSON"
    package static let pace = "the account's CreateSession quota is 10 a second"

    package var isDenial: Bool { self != .validation && self != .notFound }

    /// AWS takes signatures for some five minutes around its own clock; their date is a parameter, too.
    package var clockTolerance: UInt64? {
        switch self {
        case .invalidSignature: 60
        case .accessDenied, .validation: 240
        case .untrustedCertificate, .roleSessionNameRefused, .notFound: nil
        }
    }
}

extension CreateSessionError {
    /// The remedy, in one line.
    ///
    /// - Parameters:
    ///   - issuer: The issuer of the certificate that was sent, as text for people.
    ///   - chainCount: How many chain certificates were sent with it.
    package func hint(issuer: String, chainCount: Int) -> String? {
        hint { refusal in
            switch refusal {
            case .untrustedCertificate where IoTIssuer.isNamed(by: issuer): IoTIssuer.advice
            case .untrustedCertificate:
                "the certificate's issuer is \(issuer.inQuotes), sent with \(chainCount == 0 ? "no" : "\(chainCount)") "
                    + "chain certificate\(chainCount == 1 ? "" : "s"): the trust anchor must be that issuer, or be "
                    + "reached through intermediate certificates that the token or a configured file has"
            case .invalidSignature:
                "the signature was verified before it was sent and the clock agrees: "
                    + "a proxy or gateway may have changed the request"
            case .roleSessionNameRefused:
                "remove role-session-name, or let the Roles Anywhere profile accept it (acceptRoleSessionName)"
            case .accessDenied:
                "check that the profile lists the role, that the role's trust policy lets "
                    + "rolesanywhere.amazonaws.com in with this certificate, and that the certificate is not revoked"
            case .validation: "check the profile's ARNs, duration and session name"
            case .notFound: "check region and ARNs, and that trust anchor and profile are enabled"
            }
        }
    }
}
