package import Outcomes

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
    package typealias Code = ProblemCode

    package var status: Int { code.status }
    package var exit: ExitCode { code.exit }
}
