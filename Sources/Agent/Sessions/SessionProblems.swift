import AgentAPI
import HTTPTransport
import RolesAnywhere
import ServiceAnswers
import X509

extension Problem {
    /// The same, with its end where one of these certificates begins or ends next (RFC 5280 §4.1.2.5: both inclusive).
    func ending(with certificates: [Certificate], after now: Int64) -> Problem {
        var problem = self
        problem.causeEnds = certificates.flatMap { [$0.notBefore, $0.notAfter + 1] }.filter { $0 > now }.min()
        return problem
    }
}

extension TransportError {
    var problem: Problem {
        switch self {
        case .configuration:
            Problem(
                .configuration, "\(message, .reason)",
                hint: hint ?? "correct endpoint or ca-bundle, or let the agent read them")
        case .tlsProxy, .tls(.wantsTLS13, _), .tls(.noCommonSignature, _):
            Problem(.configuration, "\(message, .reason)", hint: hint)
        case .tls(.refusedCertificate, _): Problem(.awsDenied, "\(message, .reason)", hint: hint)
        case .protocolViolation, .tooLarge, .tls(.asksForNoCertificate, _):
            Problem(.awsAnswerInvalid, "\(message, .reason)", hint: hint)
        default: Problem(.awsUnavailable, "\(message, .reason)", hint: hint)
        }
    }
}

extension ServiceError {
    func problem(hint: String?) -> Problem {
        switch kind {
        case .throttled(let seconds): Problem(.awsThrottled, "\(message, .reason)", hint: hint, retryAfter: seconds)
        case .server(let seconds): Problem(.awsUnavailable, "\(message, .reason)", hint: hint, retryAfter: seconds)
        case .invalidSignature where clockSkew?.isSignificant == true,
            .accessDenied where signatureIsOutOfDate:
            Problem(.clockSkew, "\(message, .reason)", hint: hint)
        case .untrustedCertificate, .invalidSignature, .roleSessionNameRefused, .accessDenied:
            Problem(.awsDenied, "\(message, .reason)", hint: hint)
        case .validation, .notFound: Problem(.awsRejected, "\(message, .reason)", hint: hint)
        case .notJSON, .redirect, .expiredAnswer, .wrongRole, .malformed, .other:
            Problem(.awsAnswerInvalid, "\(message, .reason)", hint: hint)
        }
    }

    /// AWS takes signatures for some five minutes around its own clock: a refusal with a clock that is further off is
    /// the clock's, whatever the words.
    private var signatureIsOutOfDate: Bool { (clockSkew?.seconds.magnitude ?? 0) > 240 }
}
