import Outcomes

/// A problem as it travels: `application/problem+json` (RFC 9457) of the type about:blank, which may go unsaid (§4.2.1).
package struct ProblemDocument: Message {
    package static let mediaType = "application/problem+json"

    /// The HTTP status.
    package var status = 0
    /// The status in words.
    package var title = "?"
    /// What happened, in one line.
    package var detail = "?"
    /// A word of `Problem.Code`, or of a later version's.
    package var code = "?"
    /// What varies in `detail`, by the names of `Problem.Parameter`.
    package var parameters: [String: String] = [:]
    /// What to do about it.
    package var hint: String?
    /// A number of `ExitCode`.
    package var exit = ExitCode.software.rawValue
    /// Seconds after which another attempt may succeed.
    package var retryAfter: Int?

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("status", &status)
        coder.member("title", &title)
        coder.member("detail", &detail)
        coder.member("code", &code)
        coder.member("exit", &exit)
        coder.member("parameters", &parameters)
        coder.member("hint", &hint)
        coder.member("retry_after", &retryAfter)
    }

    package init(_ problem: Problem) {
        status = problem.status
        title = HTTPStatus.reason(problem.status)
        detail = problem.detail
        code = problem.code.rawValue
        for (name, value) in problem.parameters { parameters[name.rawValue] = value }
        hint = problem.hint
        exit = problem.exit.rawValue
        retryAfter = problem.retryAfter
    }
}

/// The statuses that this service answers with.
package enum HTTPStatus {
    /// The reason phrase (RFC 9110 §15).
    package static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 422: "Unprocessable Content"
        case 423: "Locked"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Unknown"
        }
    }
}
