package import Outcomes

/// An error as the agent tells it: on the socket as `application/problem+json` (RFC 9457), on a terminal as one line.
package struct Problem: Error, Hashable, Sendable {
    /// A stable word for programs.
    package var code: Code
    /// What happened, in one line without a final period, with no secret in it.
    package private(set) var detail: String
    /// The parts of `detail` that vary, for a client that says it in another language.
    package private(set) var parameters: [Parameter: String]
    /// What to do about it.
    package var hint: String?
    /// Seconds after which another attempt may succeed, for `Retry-After` (RFC 9110 §10.2.3).
    package var retryAfter: Int?
    /// When another attempt could fare better. For the agent's cache; it does not travel.
    package var retry: Retry
    /// When the cause ends by itself, in seconds since 1970: a certificate begins or ends then. Does not travel.
    package var causeEnds: Int64?

    /// - Parameter retry: Nil for what the code means most often.
    package init(
        _ code: Code, _ detail: Detail, hint: String? = nil, retryAfter: Int? = nil, retry: Retry? = nil
    ) {
        self.code = code
        self.detail = detail.text
        parameters = detail.parameters
        self.hint = hint
        self.retryAfter = retryAfter
        self.retry = retry ?? code.usualRetry
        assert(Set(parameters.keys).isSubset(of: code.parameters), "\(code) has no such parameter: \(parameters)")
    }

    /// Says more at the end of the line.
    package mutating func append(_ more: Detail) {
        detail += more.text
        parameters.merge(more.parameters) { $1 }
    }
}

extension Problem {
    package typealias Code = ProblemCode

    package var status: Int { code.status }
    package var exit: ExitCode { code.exit }
}

extension Problem {
    /// When another attempt could fare better. Each failure declares it where it is made.
    package enum Retry: Hashable, Sendable {
        /// After a pause: network, throttling, a fault of the service or of a module. `retryAfter` is the service's own
        /// wish in seconds (RFC 9110 §10.2.3); more than ten minutes count as ten.
        case pause
        /// Nothing helps but a change of the configuration, of a file that it names, of the clock, or at AWS.
        case change
        /// The token needs something first: its PIN, or to be there, or another certificate.
        case token
        /// The service does not take the session of the base profile that asked: after a pause, or with another one of
        /// that. The base keeps its own, as the service of the base has given it, and others use it.
        case base
        /// A person did not touch the token, or could not be asked. There is no attempt in the background, nor within a
        /// minute while the held credentials are valid.
        case person
    }
}

extension ProblemCode {
    /// What holds for the code where the failure says nothing else.
    fileprivate var usualRetry: Problem.Retry {
        switch self {
        case .pinNeeded, .pinIncorrect, .pinBlocked, .locked, .noToken, .noKey, .noIdentity, .ambiguousIdentity,
            .tokenGone:
            .token
        case .configuration, .unknownProfile, .objectExists, .tokenRefused, .keyFileRefused, .keyFilePassword,
            .mfaNeeded, .awsDenied, .awsRejected, .clockSkew, .signatureInvalid:
            .change
        case .badRequest, .notFound, .methodNotAllowed, .requestTooLarge, .requestTimeout, .forbidden, .tokenBusy,
            .moduleFailed, .moduleTimeout, .awsThrottled, .awsUnavailable, .awsAnswerInvalid, .tooManyRequests,
            .lockNotKept, .shuttingDown, .internalFault:
            .pause
        }
    }
}
