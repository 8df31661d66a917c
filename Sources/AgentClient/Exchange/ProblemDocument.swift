#if !hasFeature(Embedded)
    import Encodings
    import Outcomes
#endif

/// What the agent says when it cannot do something: `application/problem+json` (RFC 9457) with our `hint` and `exit`.
package enum ProblemDocument {
    /// The failure that `body` tells of, for any status but 2xx. A body that tells nothing still gives a failure.
    package static func failure(status: Int, body: Span<UInt8>) -> ClientFailure {
        do throws(JSONFault) {
            let told = try text("detail", of: body)
            guard let detail = if let told { told } else { try text("title", of: body) } else {
                return .badAnswer("status \(status) without a reason")
            }
            let hint = try text("hint", of: body) ?? "look at the agent's log"
            return ClientFailure(try exit(of: body), detail, hint: hint)
        } catch {
            return .badAnswer("status \(status), and no JSON at byte \(error.offset)")
        }
    }

    private static func text(_ name: StaticString, of body: Span<UInt8>) throws(JSONFault) -> String? {
        guard let range = try JSONScanner.member(name, of: body), body[range.lowerBound] == UInt8(ascii: "\""),
            range.count > 2
        else { return nil }
        return String(decoding: JSONString.decode(body, range), as: UTF8.self)
    }

    /// The document's exit code if the contract's table has it and it is a failure, else 70.
    private static func exit(of body: Span<UInt8>) throws(JSONFault) -> ExitCode {
        guard let range = try JSONScanner.member("exit", of: body), range.count == 2,
            let tens = body[range.lowerBound].decimalDigit, let ones = body[range.lowerBound + 1].decimalDigit
        else { return .software }
        return ExitCode(rawValue: Int32(tens * 10 + ones)) ?? .software
    }
}
