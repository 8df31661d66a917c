import AgentAPI
import HTTPTransport
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
    /// - Parameter retry: Nil for what the code means most often.
    func problem(_ message: String, hint: String?, retry: Problem.Retry? = nil) -> Problem {
        Problem(problemCode, "\(message, .reason)", hint: hint, retryAfter: retryAfterSeconds, retry: retry)
    }

    private var problemCode: Problem.Code {
        if isClocks { return .clockSkew }
        return switch kind {
        case .throttled: .awsThrottled
        case .server: .awsUnavailable
        case .refused(let refusal): refusal.isDenial ? .awsDenied : .awsRejected
        case .foreign, .redirect, .expiredAnswer, .wrongRole, .malformed, .other: .awsAnswerInvalid
        }
    }
}
