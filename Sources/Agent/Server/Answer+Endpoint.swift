import AgentAPI
import JSON
import Outcomes

extension Answer {
    /// A problem as SDKs read it: Go's and Java's show `message`, botocore the whole body. That there are no credentials is 503
    /// whatever the reason; the request's own faults keep their status.
    static func endpointProblem(_ problem: Problem, allowed: Route.Method?) -> Answer {
        var writer = JSONWriter(capacity: 512)
        writer.beginObject()
        writer.member("code", problem.code.rawValue)
        writer.member("message", "tokenward: \(problem.detail)" + (problem.hint.map { "; \($0)" } ?? ""))
        writer.endObject()
        let isOfRequest = problem.code.isOfRequest
        var problem = problem
        if !isOfRequest { problem.retryAfter = problem.retryAfter ?? usualPause }
        return Answer(
            status: isOfRequest ? problem.status : 503, mediaType: mediaType, body: writer.finish(), allowed: allowed,
            problem: problem)
    }

    /// In seconds: where a person must act first, or the cause is not known to end.
    private static let usualPause = 10
}

extension ProblemCode {
    /// Whether another request could have gone well, with the agent as it is.
    fileprivate var isOfRequest: Bool {
        switch self {
        case .badRequest, .notFound, .methodNotAllowed, .requestTooLarge, .requestTimeout, .forbidden, .unknownProfile,
            .tooManyRequests:
            true
        default: false
        }
    }
}

extension Policy {
    /// How it is answered where this holds.
    var form: Answer.Form { listener?.address == nil ? .own : .endpoint }
}
