import AgentAPI
import AgentClient
import ArgumentParser
import JSON
import PlainText

/// Which agent a command asks, and how long it waits.
struct AgentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The agent's socket. Else TOKENWARD_SOCKET, the user's agent, the system's agent.", valueName: "path"),
        completion: .file())
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "The user that the agent runs as, where it is neither you nor root: nobody else is sent anything.",
            valueName: "uid"))
    var agentUid: UInt32?

    @Option(
        help: ArgumentHelp("How long to wait for the agent, in seconds (default: 50).", valueName: "seconds"),
        transform: { text in
            guard let milliseconds = Deadline.milliseconds(Array(text.utf8)) else {
                throw ValidationError("give a number of seconds from 0.001 to 86400")
            }
            return milliseconds
        })
    private var timeout: Int64?

    /// The longest answer in bytes: thousands of certificates.
    fileprivate static let longestBody = 16 * 1024 * 1024

    /// Sends `request` and returns an answer of status 2xx.
    ///
    /// - Parameter atLeast: Milliseconds that the answer may take whatever the options say.
    func send(_ request: Span<UInt8>, atLeast: Int64 = 0) throws(ClientFailure) -> AgentExchange {
        let exchange = try AgentExchange(
            request, to: AgentEndpoint(option: socket.map { Array($0.utf8) }, agentUser: agentUid),
            deadline: Deadline(afterMilliseconds: max(timeout ?? 50_000, atLeast)), limit: Self.longestBody)
        try exchange.checkStatus()
        return exchange
    }

    func send(_ request: [UInt8]) throws(ClientFailure) -> AgentExchange { try send(request.span) }

    func get(_ path: String) throws(ClientFailure) -> AgentExchange {
        try send(AgentRequest.get(path))
    }
}

extension AgentExchange {
    /// The body as a message. Not for answers with secrets in them.
    borrowing func decode<Value: MessageValue>(_ type: Value.Type = Value.self) throws(ClientFailure) -> Value {
        let json = try read { (body, limits) throws(JSONFault) in try JSONValue(body, limits: limits) }
        guard let value = Value(json) else { throw .badAnswer("not the JSON that this command expects") }
        return value
    }

    /// Prints the body as the agent sent it, once it is known to be JSON; on a terminal without control characters.
    borrowing func printJSON() throws(ClientFailure) {
        try read { (body, limits) throws(JSONFault) in try JSONReader.check(body, limits: limits) }
        try withBody { (body) throws(ClientFailure) in
            let text = unsafe body.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
            guard Voice.isTerminal else {
                try StandardStream.output.write(body)
                return try body[body.count - 1] == UInt8(ascii: "\n") ? () : StandardStream.output.write("\n")
            }
            let lines = text.split(separator: "\n").map { PlainText.terminal(String($0)) }
            try Voice.result(lines.joined(separator: "\n"))
        }
    }

    private borrowing func read<Result>(
        _ read: (Span<UInt8>, JSONLimits) throws(JSONFault) -> Result
    ) throws(ClientFailure) -> Result {
        try withBody { (body) throws(ClientFailure) in
            do throws(JSONFault) {
                return try read(body, JSONLimits(bytes: AgentOptions.longestBody))
            } catch {
                throw .badAnswer("no JSON, at byte \(error.offset)")
            }
        }
    }
}
