/// The refusals of one service that callers tell apart, beside those that all services have (`ServiceError.Kind`).
package protocol ServiceRefusal: Hashable, Sendable {
    /// For people.
    static var service: String { get }
    /// What its answers are written in.
    static var format: String { get }
    /// How often it may be asked, for people.
    static var pace: String { get }
    /// Whether the caller may not do it, or has not shown who it is; else the request is at fault.
    var isDenial: Bool { get }
    /// A clock that is off by more seconds explains the refusal; nil: no clock does.
    var clockTolerance: UInt64? { get }
}

/// An answer of a service that brought no credentials, or none to trust.
package struct ServiceError<Refusal: ServiceRefusal>: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case refused(Refusal)
        /// Asked too often. `retryAfterSeconds` is the wait that the service asked for, at most 600.
        case throttled(retryAfterSeconds: Int?)
        /// The service is at fault. `retryAfterSeconds` is the wait that it asked for, at most 600.
        case server(retryAfterSeconds: Int?)
        /// Something that is not the service answered: a captive portal, a proxy's page.
        case foreign
        /// No redirect is followed: a signature and a certificate are for one host.
        case redirect
        /// The credentials have expired, or have a minute or less to live.
        case expiredAnswer
        /// The credentials are for another role or session than the one asked for.
        case wrongRole
        /// The answer does not follow the service's model; `field` tells where.
        case malformed(field: String)
        /// A status or a code that is new to us.
        case other
    }

    /// The service's name for what was asked.
    package let operation: String
    package let kind: Kind
    package let status: Int
    /// The service's name for the error, such as `AccessDenied`; nil where it has none.
    package let code: String?
    /// The service's own words: one line, at most 300 characters, without control characters.
    package let serviceMessage: String?
    /// For AWS support.
    package let requestID: String?
    /// From the answer's Date header.
    package let clockSkew: ClockSkew?

    /// Seconds that the service wants to be left alone for, at most 600.
    package var retryAfterSeconds: Int? {
        switch kind {
        case .throttled(let seconds), .server(let seconds): seconds
        default: nil
        }
    }

    /// Whether the clock explains it.
    package var isClocks: Bool {
        let tolerance: UInt64? =
            switch kind {
            case .refused(let refusal): refusal.clockTolerance
            case .expiredAnswer: 60
            default: nil
            }
        guard let clockSkew, let tolerance else { return false }
        return clockSkew.seconds.magnitude > tolerance
    }
}

extension ServiceError {
    /// One line: what happened, in the service's words where there are any.
    package var message: String {
        let words = [code, serviceMessage].compactMap(\.self).joined(separator: ": ")
        let detail = words.isEmpty ? "" : ": \(words)"
        return switch kind {
        case .foreign: "the endpoint answered \(status) with something that is not \(Refusal.format)"
        case .redirect: "the endpoint answered \(status), a redirect, which is not followed"
        case .expiredAnswer: "\(Refusal.service) sent credentials that have expired or are about to"
        case .wrongRole: "\(Refusal.service) sent credentials for another role or session"
        case .malformed(let field): "the answer of \(Refusal.service) is not valid at \(field)"
        case .throttled: "\(operation) was throttled (\(status))\(detail)"
        case .server: "\(operation) failed with \(status)\(detail)"
        case .refused, .other: "\(operation) was refused with \(status)\(detail)"
        }
    }

    /// The remedy, in one line.
    ///
    /// - Parameter hint: Of a refusal that no clock explains.
    package func hint(_ hint: (Refusal) -> String?) -> String? {
        if isClocks, let hint = clockSkew?.hint { return hint }
        return switch kind {
        case .refused(let refusal): hint(refusal)
        case .throttled: "wait; \(Refusal.pace)"
        case .server: "wait; the service is asked again by itself"
        case .foreign, .redirect: "a captive portal or a proxy may answer in the service's place; see endpoint"
        case .expiredAnswer: "compare this machine's clock with the service's"
        case .wrongRole, .malformed: "check endpoint: something else than \(Refusal.service) may answer there"
        case .other: clockSkew?.hint
        }
    }
}
