import AgentAPI
import Encodings
import NIOCore

/// The answer to a request.
struct Answer: Sendable {
    var status: Int
    var mediaType: String?
    var body: [UInt8] = []
    /// The method that an unsuitable one should have been.
    var allowed: Route.Method?
    var problem: Problem?
    var issued: AuditRecord.Issued?

    static let mediaType = "application/json"

    static let noContent = Answer(status: 204)

    /// The form in which a kind of listener answers.
    enum Form: Sendable {
        /// Credentials as `CredentialDocument`, problems as `ProblemDocument`.
        case own
        /// As AWS SDKs expect it of an HTTP endpoint for credentials.
        case endpoint
    }

    static func credentials(_ credentials: IssuedCredentials, _ form: Form) -> Answer {
        let body =
            switch form {
            case .own: credentials.json
            case .endpoint: credentials.endpointJSON
            }
        return Answer(status: 200, mediaType: mediaType, body: body, issued: credentials.audited)
    }

    static func message(_ message: some MessageValue) -> Answer {
        Answer(status: 200, mediaType: mediaType, body: message.json)
    }

    static func problem(_ problem: Problem, allowed: Route.Method? = nil) -> Answer {
        Answer(
            status: problem.status, mediaType: ProblemDocument.mediaType, body: ProblemDocument(problem).json,
            allowed: allowed, problem: problem)
    }

    /// The answer as it is given where this policy holds. The system's agent takes commands from root, so its hints say
    /// `sudo`, under which `tokenward` finds no other agent.
    func told(by policy: Policy) -> Answer {
        guard var problem else { return self }
        if policy.scope == .system {
            problem.hint = problem.hint?.parts(between: "'tokenward ").joined(separator: "'sudo tokenward ")
        }
        return switch policy.form {
        case .own: problem == self.problem ? self : .problem(problem, allowed: allowed)
        case .endpoint: .endpointProblem(problem, allowed: allowed)
        }
    }
}

/// An answer on its way to a peer.
struct Reply: Sendable {
    var answer: Answer
    /// Whether the connection ends with it.
    var isLast: Bool
    /// Whether the peer may still be sending, and is listened to until it has read the answer.
    var lingers = false
    var withBody = true
    /// Whose credentials these are, where it has some.
    var profile: ProfileName?

    var holdsSecret: Bool { answer.issued != nil }

    /// Appends head and body, so that one write(2) carries both.
    ///
    /// No Date: nothing may be stored, so there is no age to tell. No Content-Length in a 204 (RFC 9110 §8.6).
    func write(to buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: 256 + answer.body.count)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString(String(answer.status))
        buffer.writeStaticString(" ")
        buffer.writeString(HTTPStatus.reason(answer.status))
        if let mediaType = answer.mediaType {
            buffer.writeStaticString("\r\nContent-Type: ")
            buffer.writeString(mediaType)
            buffer.writeStaticString("\r\nContent-Length: ")
            buffer.writeString(String(answer.body.count))
        }
        buffer.writeStaticString("\r\n")
        buffer.writeStaticString("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        if let allowed = answer.allowed { buffer.writeString("Allow: \(allowed.rawValue)\r\n") }
        if let seconds = answer.problem?.retryAfter { buffer.writeString("Retry-After: \(seconds)\r\n") }
        if isLast { buffer.writeStaticString("Connection: close\r\n") }
        buffer.writeStaticString("\r\n")
        if withBody { buffer.writeBytes(answer.body) }
    }
}
