/// A problem as it travels: `application/problem+json` (RFC 9457) of the type about:blank, which may go unsaid (§4.2.1).
package struct ProblemDocument: Codable, Hashable, Sendable {
    package static let mediaType = "application/problem+json"

    /// The HTTP status.
    package var status: Int
    /// The status in words.
    package var title: String
    /// What happened, in one line.
    package var detail: String
    /// A word of `Problem.Code`, or of a later version's.
    package var code: String
    /// What to do about it.
    package var hint: String?
    /// A number of `ExitCode`.
    package var exit: Int32
    /// Seconds after which another attempt may succeed.
    package var retryAfter: Int?

    enum CodingKeys: String, CodingKey {
        case status, title, detail, code, hint, exit
        case retryAfter = "retry_after"
    }

    package init(_ problem: Problem) {
        status = problem.status
        title = HTTPStatus.reason(problem.status)
        detail = problem.detail
        code = problem.code.rawValue
        hint = problem.hint
        exit = problem.exit.rawValue
        retryAfter = problem.retryAfter
    }

    /// One JSON object, without a line end.
    package var json: [UInt8] {
        var members: [(name: String, value: JSONText.Value)] = [
            ("status", .integer(status)), ("title", .string(title)), ("detail", .string(detail)),
            ("code", .string(code)), ("exit", .integer(Int(exit))),
        ]
        if let hint { members.append(("hint", .string(hint))) }
        if let retryAfter { members.append(("retry_after", .integer(retryAfter))) }
        return JSONText.object(members)
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
