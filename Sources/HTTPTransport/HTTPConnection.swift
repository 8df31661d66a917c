import CClientTLS
import CLinux
import Dispatch
package import HeaderFields
import Synchronization

/// A connection to a service, for the one request that it is opened for: HTTP over TLS by libcurl.
///
/// It opens as soon as it is made, on a thread of its own. The request is sent later, with headers that are worth making
/// only for a service that can be reached: they may take a token's time, and a person's. A client certificate and the
/// signature for it come at that time as well (`ClientKey`): TLS then waits for them, halfway.
package final class HTTPConnection: Sendable {
    private let state = Mutex(State())
    private let decided = DispatchSemaphore(value: 0)

    private struct State {
        /// Since when the server is known by its certificate, and waits: TLS stands, or it has asked for the client's
        /// certificate. The thread waits from then on for `send` or `hangUp`.
        var openSince: ContinuousClock.Instant?
        /// What the server wants to know of its client, where it has asked.
        var wish: CertificateRequest?
        var result: Result<HTTPResponse, any Error>?
        /// The task that waits for one of the two; there is one at a time.
        var waiter: CheckedContinuation<Void, Never>?
        var order: Order?
        var signature = Signature.notWanted
        var isAbandoned = false
    }

    /// What is sent.
    struct Order: Sendable {
        let headers: [HeaderField]
        let identity: ClientIdentity?
    }

    /// Made once at most.
    private enum Signature {
        case notWanted
        case wanted(HandshakeSignature)
        case made([UInt8])
    }

    package init(for request: HTTPRequest, limits: HTTPLimits = HTTPLimits()) {
        // A private queue borrows a thread that Swift's cooperative pool does not count on, and gives it back: libcurl
        // blocks, and so does the wait for a token.
        DispatchQueue(label: "tokenward.http").async { [self] in
            let result = Result { try Transfer(request, limits, self).perform() }
            clinux_wipe_stack()
            advance { $0.result = result }
        }
    }

    /// Makes what the first connection of a process needs, so that no caller waits for it: the tables of libcurl and of
    /// its libraries. Nothing is opened.
    package static func prepare() {
        _ = try? EasyHandle()  // a failure shows again where it matters
        cclienttls_warm_up()
    }

    /// Waits until TLS stands and is verified; where the client needs a certificate, until the server has asked for it, and
    /// its own certificate has been verified (in TLS 1.3 the signature that goes with it, too).
    ///
    /// - Parameter key: What the client has, once that is known.
    /// - Returns: For how long the server has been waiting.
    /// - Throws: `TransportError` where it does not, or takes no signature of such a key; `CancellationError` within a tenth
    ///   of a second when the task is cancelled, which ends the connection.
    @discardableResult package func opened(for key: ClientKey = .unknown) async throws -> Duration {
        await wait { $0.openSince != nil }
        try Task.checkCancellation()
        let (since, wish, result) = state.withLock { ($0.openSince, $0.wish, $0.result) }
        if case .failure(let error)? = result { throw error }
        try wish?.check(key)
        return since.map { .now - $0 } ?? .zero
    }

    /// Sends the request with these headers beside its own, once the connection is open. The time from there to here is
    /// limited by the server alone: one that has hung up meanwhile makes `.truncated`.
    ///
    /// - Parameter identity: Asked for a signature once, when TLS wants it; nil where the client needs no certificate.
    /// - Throws: As `opened`; the error of the identity's signature; then nothing was sent, or the answer is at fault.
    package func send(_ headers: [HeaderField] = [], as identity: ClientIdentity? = nil) async throws -> HTTPResponse {
        try await opened()
        state.withLock { $0.order = Order(headers: headers, identity: identity) }
        decided.signal()
        if let identity { try await signIfWanted(identity) }
        await wait { $0.result != nil }
        guard let result = state.withLock(\.result) else { throw CancellationError() }
        return try result.get()
    }

    private func signIfWanted(_ identity: ClientIdentity) async throws {
        await wait { if case .wanted = $0.signature { true } else { false } }
        guard case .wanted(let wanted) = state.withLock(\.signature) else { return }
        do {
            let signature = try await withTaskCancellationHandler {
                try await identity.sign(wanted)
            } onCancel: {
                hangUp()
            }
            state.withLock { $0.signature = .made(signature) }
            decided.signal()
        } catch {
            hangUp()
            throw error
        }
    }

    /// Ends the connection, whatever it is at.
    package func hangUp() {
        state.withLock { $0.isAbandoned = true }
        decided.signal()
    }

    /// Waits until it has got so far, or has ended.
    private func wait(until isFarEnough: @escaping @Sendable (borrowing State) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    let isOver = state.result != nil || isFarEnough(state)
                    if !isOver { state.waiter = continuation }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            hangUp()
        }
    }

    // MARK: On the thread

    var isAbandoned: Bool { state.withLock(\.isAbandoned) }

    /// Says that the connection is open, and waits for what becomes of it. The second call does not wait.
    ///
    /// - Parameter wish: Of a server that has asked for the client's certificate.
    /// - Returns: What to send; nil: nothing is sent.
    func orderWhenOpen(_ wish: CertificateRequest? = nil) -> Order? {
        let isFirst = state.withLock { $0.openSince == nil }
        if isFirst {
            advance { ($0.openSince, $0.wish) = (.now, wish) }
            decided.wait()
        }
        return state.withLock { $0.isAbandoned ? nil : $0.order }
    }

    /// Waits for the signature of the identity that `orderWhenOpen` has given; nil: there will be none.
    func signature(_ wanted: HandshakeSignature) -> [UInt8]? {
        guard case .notWanted = state.withLock(\.signature) else { return nil }
        advance { $0.signature = .wanted(wanted) }
        decided.wait()
        return state.withLock { state in
            if !state.isAbandoned, case .made(let signature) = state.signature { signature } else { nil }
        }
    }

    private func advance(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
