import HTTPTransport
import HeaderFields
import Testing

/// Limits short enough for tests, and long enough for a machine that is busy.
func testLimits(connect: Int = 10_000, answer: Int = 10_000) -> HTTPLimits {
    var limits = HTTPLimits()
    limits.connectMilliseconds = connect
    limits.answerMilliseconds = answer
    return limits
}

/// Sends a small POST to `url`.
func post(
    _ url: String, limits: HTTPLimits = testLimits(), caBundle: String? = nil,
    whenConnected: @Sendable () async throws -> [HeaderField] = { [] }
) async throws -> HTTPResponse {
    let request = HTTPRequest(
        method: .post(body: Array("{\"durationSeconds\":900}".utf8)), url: url,
        headers: [HeaderField(name: "X-Early", value: "1")], caBundle: caBundle, allowsLoopbackPlaintext: true)
    return try await exchange(request, limits: limits, whenConnected: whenConnected)
}

/// Sends a request with headers that are made when the connection stands.
func exchange(
    _ request: HTTPRequest, limits: HTTPLimits = testLimits(),
    whenConnected: @Sendable () async throws -> [HeaderField] = { [] }
) async throws -> HTTPResponse {
    let connection = HTTPConnection(for: request, limits: limits)
    defer { connection.hangUp() }
    try await connection.opened()
    return try await connection.send(try await whenConnected())
}

/// The error of an exchange that must fail before it has a connection to sign for.
func failureBeforeSigning(
    _ url: String, limits: HTTPLimits = testLimits(), caBundle: String? = nil
) async -> TransportError? {
    await confirmation("the signature is asked for", expectedCount: 0) { asked in
        await #expect(throws: TransportError.self) {
            try await post(url, limits: limits, caBundle: caBundle) {
                asked()
                return []
            }
        }
    }
}

/// The error of an exchange whose answer is at fault.
func failureOfAnswer(_ answer: String, limits: HTTPLimits = testLimits()) async throws -> TransportError? {
    let server = try LoopbackServer.answering(answer)
    return await #expect(throws: TransportError.self) { try await post(server.url, limits: limits) }
}
