import Outcomes

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
        /// A person did not touch the token, or could not be asked. There is no attempt in the background, nor within a
        /// minute while the held credentials are valid.
        case person
    }
}

extension Problem.Code {
    /// What holds for the code where the failure says nothing else.
    var usualRetry: Problem.Retry {
        switch self {
        case .pinNeeded, .pinIncorrect, .pinBlocked, .locked, .noToken, .noIdentity, .ambiguousIdentity, .tokenGone:
            .token
        case .configuration, .unknownProfile, .awsDenied, .awsRejected, .clockSkew, .signatureInvalid: .change
        case .badRequest, .notFound, .methodNotAllowed, .requestTooLarge, .requestTimeout, .forbidden, .tokenBusy,
            .moduleFailed, .moduleTimeout, .awsThrottled, .awsUnavailable, .awsAnswerInvalid, .tooManyRequests,
            .lockNotKept, .shuttingDown, .internalFault:
            .pause
        }
    }
}
