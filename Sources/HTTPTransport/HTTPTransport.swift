/// HTTP over TLS by libcurl, one connection for one request.
package struct HTTPTransport: Sendable {
    package let limits: HTTPLimits

    package init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

    /// Sends a request when the connection stands, and not before.
    ///
    /// `whenConnected` gives the headers that are worth making only then: it may wake a token and a human. It is called
    /// at most once, in the caller's task, after TLS has been verified, and may take its time; `limits` does not count
    /// it. A server that closes the connection meanwhile makes `.truncated`.
    ///
    /// The task's cancellation ends the exchange within a tenth of a second, and throws `CancellationError`.
    ///
    /// - Throws: `TransportError`, `CancellationError`, or what `whenConnected` threw, unchanged; then nothing was
    ///   sent.
    package func send(
        _ request: HTTPRequest, whenConnected: @Sendable () async throws -> [HTTPHeader]
    ) async throws -> HTTPResponse {
        let exchange = Exchange()
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            exchange.start(request, limits)
            while true {
                switch await exchange.next() {
                case .connected:
                    do {
                        try Task.checkCancellation()
                        exchange.proceed(with: try await whenConnected())
                    } catch {
                        exchange.abandon()
                        _ = await exchange.next()  // the connection is closed before the caller goes on
                        throw error
                    }
                case .finished(let result): return try result.get()
                }
            }
        } onCancel: {
            exchange.abandon()
        }
    }
}
