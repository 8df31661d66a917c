#if !hasFeature(Embedded)
    import Encodings
    import JSON
    import LockedMemory
    package import Outcomes
#endif

/// Why a client of the agent ends without a result: what happened, what to do about it, and the exit code.
package struct ClientFailure: Error {
    package let exit: ExitCode
    /// One line without a final period. It may quote what the agent sent: print it through `PlainText.terminal`.
    package let detail: String
    package let hint: String
    /// The agent's word for the problem; nil where the failure is the client's own.
    package let code: String?

    package init(_ exit: ExitCode, _ detail: String, hint: String, code: String? = nil) {
        self.exit = exit
        self.detail = detail
        self.hint = hint
        self.code = code
    }

    /// The agent said something that it never says.
    package static func badAnswer(_ what: String) -> ClientFailure {
        ClientFailure(
            .software, "the agent's answer makes no sense: \(what)",
            hint: "check that the agent and this program have the same version")
    }

    static var tooLongRequest: ClientFailure {
        ClientFailure(.usage, "the request is too long", hint: "give a shorter URI or PIN")
    }

    static func timeout(_ deadline: Deadline) -> ClientFailure {
        ClientFailure(
            .temporaryFailure, "the agent did not answer within \(deadline.text) seconds",
            hint: "look whether a token waits for a touch or a PIN, and try again")
    }
}

extension ClientFailure {
    /// The agent's account of a failure: `application/problem+json` (RFC 9457) with our `hint` and `exit`.
    ///
    /// - Parameters:
    ///   - status: Any but 2xx.
    ///   - body: One that gives no reason still makes a failure.
    package init(status: Int, body: Span<UInt8>) {
        let members: JSONMembers
        do throws(JSONFault) {
            members = try JSONMembers(body)
        } catch {
            self = .badAnswer("status \(status), and no JSON at byte \(error.offset)")
            return
        }
        func text(_ name: StaticString) -> String? {
            members.text(name, in: body).flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let detail = text("detail") ?? text("title") else {
            self = .badAnswer("status \(status) without a reason")
            return
        }
        // A code that the contract's table does not have, or that is no failure, is a fault of ours.
        var exit = ExitCode.software
        if case .number(let range)? = members.value("exit", in: body), range.count == 2,
            let number = body.extracting(range).decimalNumber, let code = ExitCode(rawValue: Int32(number))
        {
            exit = code
        }
        self.init(exit, detail, hint: text("hint") ?? "look at the agent's log", code: text("code"))
    }
}

// In a client, a buffer that is full or cannot be had is a failure with an exit code.
extension SecretBuffer {
    /// - Throws: Exit code 75 without memory.
    static func make(capacity: Int, isLocked: Bool = false) throws(ClientFailure) -> SecretBuffer {
        guard let buffer = SecretBuffer(capacity: capacity, isLocked: isLocked) else {
            throw ClientFailure(.temporaryFailure, "no memory is left", hint: "close other programs and try again")
        }
        return buffer
    }

    /// - Throws: Exit code 64 when it does not fit.
    mutating func insert(_ bytes: Span<UInt8>, before index: Int) throws(ClientFailure) {
        guard insert(bytes, at: index) else { throw .tooLongRequest }
    }
}
