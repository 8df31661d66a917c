/// An error as the agent tells it: on the socket as `application/problem+json` (RFC 9457), on a terminal as one line.
package struct Problem: Error, Hashable, Sendable {
    /// A stable word for programs.
    package var code: Code
    /// What happened, in one line without a final period, with no secret in it.
    package var detail: String
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
        _ code: Code, _ detail: String, hint: String? = nil, retryAfter: Int? = nil, retry: Retry? = nil
    ) {
        self.code = code
        self.detail = detail
        self.hint = hint
        self.retryAfter = retryAfter
        self.retry = retry ?? code.usualRetry
    }
}

extension Problem {
    /// The stable words. A case exists when a caller decides differently because of it.
    package enum Code: String, CaseIterable, Sendable {
        case badRequest = "bad-request"
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case requestTooLarge = "request-too-large"
        case requestTimeout = "request-timeout"
        case forbidden
        case unknownProfile = "unknown-profile"
        case configuration
        case noIdentity = "no-identity"
        case ambiguousIdentity = "ambiguous-identity"
        case noToken = "no-token"
        case pinNeeded = "pin-needed"
        case pinIncorrect = "pin-incorrect"
        case pinBlocked = "pin-blocked"
        case locked
        /// Locked, but only until the agent ends.
        case lockNotKept = "lock-not-kept"
        case tokenGone = "token-gone"
        case tokenBusy = "token-busy"
        case moduleFailed = "module-failed"
        case moduleTimeout = "module-timeout"
        case signatureInvalid = "signature-invalid"
        case awsDenied = "aws-denied"
        case awsRejected = "aws-rejected"
        case awsThrottled = "aws-throttled"
        case awsUnavailable = "aws-unavailable"
        case awsAnswerInvalid = "aws-answer-invalid"
        case clockSkew = "clock-skew"
        case tooManyRequests = "too-many-requests"
        case shuttingDown = "shutting-down"
        case internalFault = "internal"
    }

    /// The HTTP status that goes with the code (RFC 9110 §15).
    package var status: Int {
        switch code {
        case .badRequest: 400
        case .forbidden: 403
        case .notFound, .unknownProfile, .noToken: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .noIdentity, .ambiguousIdentity: 409
        case .requestTooLarge: 413
        case .pinIncorrect: 422
        case .pinNeeded, .pinBlocked, .locked: 423
        case .tooManyRequests: 429
        case .configuration, .internalFault, .signatureInvalid: 500
        case .awsDenied, .awsRejected, .awsAnswerInvalid, .clockSkew: 502
        case .lockNotKept, .tokenGone, .tokenBusy, .moduleFailed, .awsThrottled, .awsUnavailable, .shuttingDown: 503
        case .moduleTimeout: 504
        }
    }

    /// The exit code of a client that ends with this problem.
    package var exit: ExitCode {
        switch code {
        case .badRequest: .usage
        case .notFound, .methodNotAllowed, .requestTooLarge: .software
        case .noToken, .noIdentity, .ambiguousIdentity: .noInput
        case .forbidden, .awsDenied: .noPermission
        case .unknownProfile, .configuration, .awsRejected, .clockSkew: .configuration
        case .pinNeeded, .pinIncorrect, .locked: .pinNeeded
        case .tokenGone, .pinBlocked: .tokenGone
        case .internalFault, .signatureInvalid: .software
        case .lockNotKept, .requestTimeout, .tokenBusy, .moduleFailed, .moduleTimeout, .awsThrottled, .awsUnavailable,
            .awsAnswerInvalid, .tooManyRequests, .shuttingDown:
            .temporaryFailure
        }
    }
}
