import JSON
import PlainText
package import ServiceAnswers

/// An answer of IoT Core's credential provider that brought no credentials, or none to trust.
package struct RoleAliasError: Error, Hashable, Sendable {
    /// The kinds that callers tell apart.
    package enum Kind: Hashable, Sendable {
        /// The certificate may not use the role alias, or the provider does not know the one or the other.
        case accessDenied
        /// The provider found the request at fault.
        case rejected
        /// Roles Anywhere, or another service, that knows no role aliases.
        case notFound
        /// Asked too often. `retryAfterSeconds` is the wait that the service asked for, at most 600.
        case throttled(retryAfterSeconds: Int?)
        /// The service is at fault. `retryAfterSeconds` is the wait that it asked for, at most 600.
        case server(retryAfterSeconds: Int?)
        /// Something that is no web service answered: a captive portal, a proxy's page.
        case notJSON
        /// No redirect is followed: the client's certificate is shown to one host.
        case redirect
        /// The credentials have expired, or have a minute or less to live.
        case expiredAnswer
        /// The answer is not as AWS gives it; `field` tells where.
        case malformed(field: String)
        /// A status that is new to us.
        case other
    }

    package let kind: Kind
    package let status: Int
    /// The service's own words: one line, at most 300 characters, without control characters.
    package let serviceMessage: String?
    /// From the answer's Date header.
    package let clockSkew: ClockSkew?

    /// One line: what happened, in the service's words where there are any.
    package var message: String {
        let detail = serviceMessage.map { ": \($0)" } ?? ""
        return switch kind {
        case .notJSON: "the endpoint answered \(status) with something that is not JSON"
        case .redirect: "the endpoint answered \(status), a redirect, which is not followed"
        case .expiredAnswer: "IoT Core sent credentials that have expired or are about to"
        case .malformed(let field): "IoT Core's answer is not valid at \(field)"
        case .throttled: "IoT Core's credential provider was throttled (\(status))\(detail)"
        case .server: "IoT Core's credential provider failed with \(status)\(detail)"
        default: "IoT Core's credential provider refused with \(status)\(detail)"
        }
    }

    /// The remedy, in one line.
    ///
    /// - Parameter certificate: The certificate's serial number, as text for people.
    package func hint(for request: RoleAliasRequest, certificate: String) -> String? {
        let thing = request.thingName.map { ", and that thing-name \($0) is its thing" } ?? ""
        return switch kind {
        case .accessDenied:
            "check that the certificate with serial \(certificate) is registered in IoT and ACTIVE, that a policy attached "
                + "to this very certificate allows iot:AssumeRoleWithCertificate on role alias \(request.roleAlias)"
                + "\(thing), and that the alias' role trusts credentials.iot.amazonaws.com"
        case .rejected: "check role-alias and thing-name"
        case .notFound:
            "check endpoint, which 'aws iot describe-endpoint --endpoint-type iot:CredentialProvider' tells, and role-alias"
        case .throttled, .server: "wait; the service is asked again by itself"
        case .notJSON, .redirect: "a captive portal or a proxy may answer in the service's place; see endpoint"
        case .expiredAnswer: clockSkew?.hint ?? "compare this machine's clock with the service's"
        case .malformed: "check endpoint: something else than the service may answer there"
        case .other: nil
        }
    }
}

extension ServiceAnswer {
    func error(_ kind: RoleAliasError.Kind, message: String? = nil) -> RoleAliasError {
        RoleAliasError(kind: kind, status: status, serviceMessage: message, clockSkew: clockSkew)
    }

    /// The error that an answer other than 200 stands for.
    var refusal: RoleAliasError {
        if (300..<400).contains(status) { return error(.redirect) }
        let json = json
        let text = (json?["message"]?.text ?? json?["Message"]?.text).map { PlainText.message($0, longest: 300) }
        return switch status {
        case 429: error(.throttled(retryAfterSeconds: retryAfterSeconds), message: text)
        case 500...: error(.server(retryAfterSeconds: retryAfterSeconds), message: text)
        case 401, 403: error(.accessDenied, message: text)
        case _ where json == nil: error(.notJSON)
        case 400: error(.rejected, message: text)
        case 404: error(.notFound, message: text)
        default: error(.other, message: text)
        }
    }
}
