/// An answer to CreateSession that brought no credentials, or none to trust.
package struct ServiceError: Error, Hashable, Sendable {
    /// What was wrong, as far as someone decides by it.
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
        /// Asked too often. `retryAfterSeconds` is what the service asked for, at most 600.
        case throttled(retryAfterSeconds: Int?)
        /// The service is at fault. `retryAfterSeconds` is what it asked for, at most 600.
        case server(retryAfterSeconds: Int?)
        /// Something that is no web service answered: a captive portal, a proxy's page.
        case notJSON
        /// No redirect is followed: the signature is for one host.
        case redirect
        /// The credentials have expired, or have a minute or less to live.
        case expiredAnswer
        /// The credentials are for another role than the one asked for.
        case wrongRole
        /// The answer is not what the service's model says; `field` tells where.
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
    /// What AWS support asks for.
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
