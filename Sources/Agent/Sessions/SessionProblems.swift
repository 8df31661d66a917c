import AgentAPI
import HTTPTransport
import RolesAnywhere

extension Problem {
    /// When another attempt could fare better.
    var kind: SourceFailure.Kind {
        switch code {
        case .pinNeeded where retryAfter != nil: .gesture  // a prompt that could not be shown: not at each request
        case .pinNeeded, .pinIncorrect, .pinBlocked, .locked, .noToken, .noIdentity, .ambiguousIdentity, .tokenGone:
            .state
        case .configuration, .unknownProfile, .awsDenied, .awsRejected, .clockSkew, .signatureInvalid: .permanent
        // A program that holds the card comes with a time to try again; a person who did not touch it does not.
        case .tokenBusy where retryAfter == nil: .gesture
        default: .transient(retryAfter: retryAfter)
        }
    }
}

extension TransportError {
    var problem: Problem {
        switch self {
        case .configuration:
            Problem(.configuration, message, hint: hint ?? "correct endpoint or ca-bundle, or let the agent read them")
        case .protocolViolation, .tooLarge: Problem(.awsAnswerInvalid, message, hint: hint)
        default: Problem(.awsUnavailable, message, hint: hint)
        }
    }
}

extension ServiceError {
    func problem(hint: String?) -> Problem {
        switch kind {
        case .throttled(let seconds): Problem(.awsThrottled, message, hint: hint, retryAfter: seconds)
        case .server(let seconds): Problem(.awsUnavailable, message, hint: hint, retryAfter: seconds)
        case .invalidSignature where clockSkew?.isSignificant == true,
            .accessDenied where signatureIsOutOfDate:
            Problem(.clockSkew, message, hint: hint)
        case .untrustedCertificate, .invalidSignature, .roleSessionNameRefused, .accessDenied:
            Problem(.awsDenied, message, hint: hint)
        case .validation, .notFound: Problem(.awsRejected, message, hint: hint)
        case .notJSON, .redirect, .expiredAnswer, .wrongRole, .malformed, .other:
            Problem(.awsAnswerInvalid, message, hint: hint)
        }
    }
}

extension ServiceError {
    /// AWS takes signatures for some five minutes around its own clock: a refusal with a clock that is further off is
    /// the clock's, whatever the words.
    private var signatureIsOutOfDate: Bool { (clockSkew?.seconds.magnitude ?? 0) > 240 }
}
