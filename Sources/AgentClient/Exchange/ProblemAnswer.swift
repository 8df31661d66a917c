#if !hasFeature(Embedded)
    import Encodings
    import JSON
    import Outcomes
#endif

/// What the agent says when it cannot do something: `application/problem+json` (RFC 9457) with our `hint` and `exit`.
package enum ProblemAnswer {
    /// The failure that `body` tells of, for any status but 2xx. A body that tells nothing still gives a failure.
    package static func failure(status: Int, body: Span<UInt8>) -> ClientFailure {
        let members: JSONMembers
        do throws(JSONFault) {
            members = try JSONMembers(body)
        } catch {
            return .badAnswer("status \(status), and no JSON at byte \(error.offset)")
        }
        guard let detail = text("detail", members, body) ?? text("title", members, body) else {
            return .badAnswer("status \(status) without a reason")
        }
        let hint = text("hint", members, body) ?? "look at the agent's log"
        return ClientFailure(exit(members, body), detail, hint: hint)
    }

    private static func text(_ name: StaticString, _ members: JSONMembers, _ body: Span<UInt8>) -> String? {
        guard case .string(let range)? = members.value(name, in: body), !range.isEmpty else { return nil }
        return String(decoding: JSONString.decode(range, in: body), as: UTF8.self)
    }

    /// The document's exit code if the contract's table has it and it is a failure, else 70.
    private static func exit(_ members: JSONMembers, _ body: Span<UInt8>) -> ExitCode {
        guard case .number(let range)? = members.value("exit", in: body), range.count == 2,
            let tens = body[range.lowerBound].decimalDigit, let ones = body[range.lowerBound + 1].decimalDigit
        else { return .software }
        return ExitCode(rawValue: Int32(tens * 10 + ones)) ?? .software
    }
}
