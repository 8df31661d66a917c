#if !hasFeature(Embedded)
    import LockedMemory
#endif

/// One request to the agent and its whole answer, in a buffer that is wiped afterwards.
package struct AgentExchange: ~Copyable {
    package let status: Int
    private let answer: SecretBuffer
    private let body: Range<Int>

    /// Sends `request` and reads the answer, body and all.
    ///
    /// - Parameter limit: The longest body that is taken, in bytes.
    /// - Throws: Exit code 69 when the agent cannot be reached, 75 after the deadline, 70 for an answer that is not HTTP.
    package init(
        _ request: Span<UInt8>, to endpoint: AgentEndpoint, deadline: Deadline, limit: Int
    ) throws(ClientFailure) {
        let connection = try AgentConnection.open(endpoint, deadline: deadline)
        try connection.send(request)
        // One byte more than is taken, for the line feed that ends what is printed.
        var answer = try SecretBuffer.make(capacity: HTTPHead.longest + limit + 1)
        let head = try Self.receiveHead(connection, &answer)
        guard head.bodyLength <= limit else {
            throw .badAnswer("a body of \(head.bodyLength) bytes, where at most \(limit) are taken")
        }
        let end = head.bodyStart + head.bodyLength
        while answer.count < end {
            guard try connection.receive(into: &answer) > 0 else {
                throw .badAnswer("it ends after \(answer.count - head.bodyStart) of \(head.bodyLength) bytes")
            }
        }
        guard answer.count == end else { throw .badAnswer("more bytes than its Content-Length says") }
        status = head.status
        body = head.bodyStart..<end
        self.answer = answer
    }

    private static func receiveHead(
        _ connection: borrowing AgentConnection, _ answer: inout SecretBuffer
    ) throws(ClientFailure) -> HTTPHead {
        while true {
            let seen = answer.count
            guard try connection.receive(into: &answer) > 0 else {
                guard seen == 0 else { throw .badAnswer("it ends within its head") }
                throw ClientFailure(
                    .unavailable, "the agent closed the connection without an answer",
                    hint: "look whether it still runs, and try again")
            }
            let head = try answer.withBytes { (bytes) throws(ClientFailure) -> HTTPHead? in
                guard let end = HTTPHead.end(in: bytes, from: seen) else { return nil }
                return try HTTPHead(bytes.extracting(..<end))
            }
            if let head, head.bodyStart <= HTTPHead.longest { return head }
            guard head == nil, answer.count <= HTTPHead.longest else { throw .badAnswer("a head without end") }
        }
    }

    /// Lends the body for the length of `use`.
    package borrowing func withBody<Result, Failure: Error>(
        _ use: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try answer.withBytes { (bytes) throws(Failure) in try use(bytes.extracting(body)) }
    }

    /// The failure that an answer other than 2xx tells of.
    package borrowing func checkStatus() throws(ClientFailure) {
        guard !(200...299).contains(status) else { return }
        throw withBody { ClientFailure(status: status, body: $0) }
    }

    /// Writes the body and a line feed to standard output, in one call where the kernel takes it at once.
    package consuming func printBody() throws(ClientFailure) {
        let start = body.lowerBound
        var answer = answer
        try answer.insert([UInt8(ascii: "\n")].span, before: answer.count)
        try answer.withBytes { (bytes) throws(ClientFailure) in
            try StandardStream.output.write(bytes.extracting(start..<bytes.count))
        }
    }
}
