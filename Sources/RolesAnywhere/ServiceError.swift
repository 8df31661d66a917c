import AWSNames
package import ServiceAnswers

/// An answer to CreateSession that brought no credentials, or none to trust.
package struct ServiceError: Error, Hashable, Sendable {
    /// The kinds that callers tell apart.
    package enum Kind: Hashable, Sendable {
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
        /// Asked too often. `retryAfterSeconds` is the wait that the service asked for, at most 600.
        case throttled(retryAfterSeconds: Int?)
        /// The service is at fault. `retryAfterSeconds` is the wait that it asked for, at most 600.
        case server(retryAfterSeconds: Int?)
        /// Something that is no web service answered: a captive portal, a proxy's page.
        case notJSON
        /// No redirect is followed: the signature is for one host.
        case redirect
        /// The credentials have expired, or have a minute or less to live.
        case expiredAnswer
        /// The credentials are for another role than the one asked for.
        case wrongRole
        /// The answer does not follow the service's model; `field` tells where.
        case malformed(field: String)
        /// A status or a code that is new to us.
        case other
    }

    package let kind: Kind
    package let status: Int
    /// The service's name for the error, such as `AccessDeniedException`.
    package let code: String?
    /// The service's own words: one line, at most 300 characters, without control characters.
    package let serviceMessage: String?
    /// For AWS support.
    package let requestID: String?
    /// From the answer's Date header.
    package let clockSkew: ClockSkew?

    /// One line: what happened, in the service's words where there are any.
    package var message: String {
        let words = [code, serviceMessage].compactMap(\.self).joined(separator: ": ")
        let detail = words.isEmpty ? "" : ": \(words)"
        return switch kind {
        case .notJSON: "the endpoint answered \(status) with something that is not JSON"
        case .redirect: "the endpoint answered \(status), a redirect, which is not followed"
        case .expiredAnswer: "the service sent credentials that have expired or are about to"
        case .wrongRole: "the service sent credentials for another role"
        case .malformed(let field): "the service's answer is not valid at \(field)"
        case .throttled: "CreateSession was throttled (\(status))\(detail)"
        case .server: "the service failed with \(status)\(detail)"
        default: "CreateSession was refused with \(status)\(detail)"
        }
    }
}

extension ServiceError {
    /// The remedy, in one line.
    ///
    /// - Parameters:
    ///   - issuer: The issuer of the certificate that was sent, as text for people.
    ///   - chainCount: How many chain certificates were sent with it.
    package func hint(issuer: String, chainCount: Int) -> String? {
        switch kind {
        case .untrustedCertificate where IoTIssuer.isNamed(by: issuer): return IoTIssuer.advice
        case .untrustedCertificate:
            let sent = chainCount == 0 ? "no" : "\(chainCount)"
            return "the certificate's issuer is \(issuer.inQuotes), sent with \(sent) chain "
                + "certificate\(chainCount == 1 ? "" : "s"): the trust anchor must be that issuer, or be reached "
                + "through intermediate certificates that the token or a configured file has"
        case .invalidSignature:
            return clockHint
                ?? "the signature was verified before it was sent and the clock agrees: "
                + "a proxy or gateway may have changed the request"
        case .roleSessionNameRefused:
            return "remove role-session-name, or let the Roles Anywhere profile accept it (acceptRoleSessionName)"
        case .accessDenied:
            return clockHint
                ?? "check that the profile lists the role, that the role's trust policy lets "
                + "rolesanywhere.amazonaws.com in with this certificate, and that the certificate is not revoked"
        case .validation: return clockHint ?? "check the profile's ARNs, duration and session name"
        case .notFound: return "check region and ARNs, and that trust anchor and profile are enabled"
        case .throttled: return "wait; the account's CreateSession quota is 10 a second"
        case .server: return "wait; the service is asked again by itself"
        case .notJSON, .redirect: return "a captive portal or a proxy may answer in the service's place; see endpoint"
        case .expiredAnswer: return clockHint ?? "compare this machine's clock with the service's"
        case .wrongRole, .malformed: return "check endpoint: something else than the service may answer there"
        case .other: return clockHint
        }
    }

    private var clockHint: String? { clockSkew?.hint }
}
