import AgentAPI
import HTTPTransport
import HeaderFields
import Synchronization

/// The line to a profile's service for one attempt. It opens while the tokens are looked at, and anew where that, or a
/// person at a PIN, has taken so long that the server may hang up: nothing has been sent yet, and another is cheap.
final class ServiceLine: Sendable {
    private let state: Mutex<State>

    private struct State: Sendable {
        var request: HTTPRequest
        var connection: HTTPConnection
        /// It has failed with one identity: the next one needs another.
        var isSpent = false

        init(_ request: HTTPRequest) { (self.request, connection) = (request, HTTPConnection(for: request)) }
    }

    /// How long a server is expected to wait in silence.
    private static let patience = Duration.seconds(3)

    init(to request: HTTPRequest) { state = Mutex(State(request)) }

    /// Waits until the server is known, on a connection that is still young.
    ///
    /// - Parameter authentication: What the client's key can sign with, where its certificate is wanted and the key is found;
    ///   another connection is opened where the present one has promised more.
    /// - Throws: Why the service cannot be reached.
    func open(with authentication: ClientAuthentication? = nil) async throws(Problem) {
        do {
            let (old, mayStay) = state.withLock { state in
                let isEnough = authentication == nil || state.request.clientAuthentication == authentication
                return (state.connection, isEnough && !state.isSpent)
            }
            if mayStay, try await old.opened() <= Self.patience { return }
            old.hangUp()
            let new = state.withLock { state in
                if let authentication { state.request.clientAuthentication = authentication }
                state.connection = HTTPConnection(for: state.request)
                state.isSpent = false
                return state.connection
            }
            try await new.opened()
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
    func send(_ headers: [HeaderField] = [], as identity: ClientIdentity? = nil) async throws(Problem) -> HTTPResponse {
        do {
            return try await state.withLock(\.connection).send(headers, as: identity)
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
