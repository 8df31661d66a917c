import AgentAPI
import HTTPTransport
import HeaderFields
import Synchronization

/// The line to a profile's service for one attempt. It opens while the tokens are looked at, and anew where that, or a
/// person at a PIN, has taken so long that the server may hang up: nothing has been sent yet, and another is cheap.
final class ServiceLine: Sendable {
    private let request: HTTPRequest
    private let connection: Mutex<HTTPConnection>

    /// How long a server is expected to wait in silence.
    private static let patience = Duration.seconds(3)

    init(to request: HTTPRequest) {
        self.request = request
        connection = Mutex(HTTPConnection(for: request))
    }

    /// Waits until TLS stands, on a connection that is still young.
    ///
    /// - Throws: Why the service cannot be reached.
    func open() async throws(Problem) {
        do {
            let old = connection.withLock(\.self)
            guard try await old.opened() > Self.patience else { return }
            old.hangUp()
            let new = HTTPConnection(for: request)
            connection.withLock { $0 = new }
            try await new.opened()
        } catch {
            throw Problem(ofSending: error)
        }
    }

    func send(_ headers: [HeaderField]) async throws(Problem) -> HTTPResponse {
        do {
            return try await connection.withLock(\.self).send(headers)
        } catch {
            throw Problem(ofSending: error)
        }
    }

    func hangUp() { connection.withLock(\.self).hangUp() }
}

extension Problem {
    /// - Parameter error: The error of `HTTPConnection`.
    fileprivate init(ofSending error: any Error) {
        self =
            (error as? TransportError)?.problem
            ?? Problem(.shuttingDown, "the request was cancelled", hint: "try again")
    }
}
