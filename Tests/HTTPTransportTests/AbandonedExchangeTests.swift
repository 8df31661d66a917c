import Glibc
import HTTPTransport
import HeaderFields
import Testing

@Suite struct AbandonedExchangeTests {
    struct TokenGone: Error, Equatable {
        let label: String
    }

    @Test("An error of the token comes out as it is, and nothing was sent")
    func closureError() async throws {
        let server = try LoopbackServer { peer in
            #expect(peer.readRequest().isEmpty)
        }
        await #expect(throws: TokenGone(label: "Build HSM")) {
            try await post(server.url) { throw TokenGone(label: "Build HSM") }
        }
    }

    @Test("A transport error of the token's is not taken for the exchange's")
    func closureTransportError() async throws {
        let server = try TLSServer()
        await #expect(throws: TransportError.resolve(host: "elsewhere")) {
            try await post("https://localhost:\(server.port)/", caBundle: server.caBundle) {
                throw TransportError.resolve(host: "elsewhere")
            }
        }
    }

    @Test("Cancelling ends an exchange that waits for the server")
    func cancelWhileWaiting() async throws {
        let (reached, signal) = AsyncStream.makeStream(of: Void.self)
        let server = try LoopbackServer { peer in
            _ = peer.readRequest()
            signal.yield()
            peer.readToEnd()
        }
        let url = server.url
        let task = Task { try await post(url) }
        for await _ in reached { break }
        try await cancelled(task)
    }

    @Test("Cancelling ends an exchange that is still connecting")
    func cancelWhileConnecting() async throws {
        let (reached, signal) = AsyncStream.makeStream(of: Void.self)
        let server = try LoopbackServer { peer in
            signal.yield()
            peer.readToEnd()
        }
        let url = "https://127.0.0.1:\(server.port)/"
        let task = Task { try await post(url) }
        for await _ in reached { break }
        try await cancelled(task)
    }

    @Test("Cancelling reaches the token, whose error comes out")
    func cancelWhileSigning() async throws {
        let (reached, signal) = AsyncStream.makeStream(of: Void.self)
        let server = try LoopbackServer { $0.readToEnd() }
        let url = server.url
        let task = Task {
            try await post(url) {
                signal.yield()
                try await Task.sleep(for: .seconds(60))
                return []
            }
        }
        for await _ in reached { break }
        try await cancelled(task)
    }

    @Test("A task that was cancelled before sends nothing")
    func cancelledBefore() async throws {
        let server = try LoopbackServer { peer in
            #expect(peer.readRequest().isEmpty)
        }
        let url = server.url
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in gate {}
            return try await post(url)
        }
        task.cancel()
        open.finish()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    private func cancelled(_ task: Task<HTTPResponse, any Error>) async throws {
        let clock = ContinuousClock()
        let elapsed = await clock.measure {
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        #expect(elapsed < .seconds(60))  // on a busy machine; the server would hold it for ever
    }

    @Test("A server that hangs up while the token signs makes one clear error, and no SIGPIPE")
    func hangUp() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let server = try TLSServer(mode: .hangUp)
            let error = await #expect(throws: TransportError.self) {
                try await post("https://localhost:\(server.port)/", caBundle: server.caBundle) {
                    try await Task.sleep(for: .milliseconds(300))  // lets the server's close arrive first
                    return [HeaderField(name: "X-Long", value: String(repeating: "x", count: 60_000))]
                }
            }
            #expect(error == .truncated)
        }
    }

    @Test("Twenty exchanges at once keep apart")
    func concurrency() async throws {
        let server = try LoopbackServer { peer in
            let request = peer.readRequest()
            let id = request.split(separator: "\r\n").first { $0.hasPrefix("X-Id: ") }.map { $0.dropFirst(6) } ?? ""
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(id.utf8.count)\r\n\r\n\(id)")
        }
        let url = server.url
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for id in 0..<20 {
                group.addTask {
                    let response = try await post(url) { [HeaderField(name: "X-Id", value: "exchange-\(id)")] }
                    return response.body == Array("exchange-\(id)".utf8)
                }
            }
            for try await isOwn in group { #expect(isOwn) }
        }
    }
}
