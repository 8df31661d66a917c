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
