import AgentAPI
import Clocks
import HTTPTransport
import HeaderFields
import Logging
import ServiceAnswers
import Synchronization

/// The line to a profile's service for one attempt. It opens while the tokens are looked at, and anew where that, or a
/// person at a PIN, has taken so long that the server may hang up: nothing has been sent yet, and another is cheap.
final class ServiceLine: Sendable {
    private let state: Mutex<State>
    private let clock: AgentClock
    private let log: Logger

    private struct State: Sendable {
        var request: HTTPRequest
        var connection: HTTPConnection
        /// It has failed with one identity: the next one needs another.
        var isSpent = false

        init(_ request: HTTPRequest) { (self.request, connection) = (request, HTTPConnection(for: request)) }
    }

    /// How long a server is expected to wait in silence.
    private static let patience = Duration.seconds(3)

    init(to request: HTTPRequest, clock: AgentClock, log: Logger) {
        state = Mutex(State(request))
        self.clock = clock
        self.log = log
    }

    /// Waits until the server is known, on a connection that is still young.
    ///
    /// - Parameter key: The client's, where the server asks for its certificate and the key is found; another connection is
    ///   opened where the present one promises signatures that it does not make, or had to do without some that it makes.
    /// - Throws: Why the service cannot be reached, or that it takes no signature of such a key.
    func open(for key: ClientKey? = nil) async throws(Problem) {
        do {
            let (old, mayStay) = state.withLock { state in
                let isLimited = key.map { ($0 == .rsaWithoutPSS) != (state.request.clientKey == .rsaWithoutPSS) }
                return (state.connection, isLimited != true && !state.isSpent)
            }
            if mayStay, try await old.opened(for: key ?? .unknown) <= Self.patience { return }
            old.hangUp()
            let new = state.withLock { state in
                if let key { state.request.clientKey = key }
                state.connection = HTTPConnection(for: state.request)
                state.isSpent = false
                return state.connection
            }
            try await new.opened(for: key ?? .unknown)
        } catch {
            throw Problem(ofSending: error)
        }
    }

    /// Has another body sent, on a connection that was not given the first one.
    func post(_ body: [UInt8]) {
        let old = state.withLock { state in
            state.request.method = .post(body: body)
            defer { state.connection = HTTPConnection(for: state.request) }
            return state.connection
        }
        old.hangUp()
    }

    /// - Throws: Why there is no answer; or why the identity has made no signature.
    func send(
        _ headers: [HeaderField] = [], as identity: ClientIdentity? = nil
    ) async throws(Problem) -> ServiceAnswer {
        do {
            let answer = try await state.withLock(\.connection).send(headers, as: identity)
            log.debug(
                "service call",
                metadata: [
                    "status": "\(answer.status)", "connect-microseconds": "\(answer.timings.appConnect)",
                    "answer-microseconds": "\(answer.timings.answer)",
                ])
            return ServiceAnswer(
                status: answer.status, headers: answer.headers, body: answer.body, receivedAt: clock.wall() / 1000)
        } catch {
            state.withLock { $0.isSpent = true }
            throw Problem(ofSending: error)
        }
    }

    func hangUp() { state.withLock(\.connection).hangUp() }
}

extension Problem {
    /// - Parameter error: The error of `HTTPConnection`, or of the identity that it was given.
    fileprivate init(ofSending error: any Error) {
        self =
            (error as? Problem) ?? (error as? TransportError)?.problem
            ?? Problem(.shuttingDown, "the request was cancelled", hint: "try again")
    }
}
