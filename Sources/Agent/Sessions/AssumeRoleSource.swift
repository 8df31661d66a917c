import AgentAPI
import CLinux
import Clocks
import HTTPTransport
import Logging
import STS
import ServiceAnswers
import SigV4
import UTCTime
import X509

/// Obtains sessions from STS by AssumeRole, signed with the session of another profile.
struct AssumeRoleSource: Sendable {
    let clock: AgentClock
    let log: Logger

    /// One call. It is signed when TLS stands.
    ///
    /// - Parameter key: Of the session of `role.base`.
    func session(
        of name: ProfileName, _ role: AssumeRole, caBundle: String?, from key: SessionKey
    ) async throws(Problem) -> SessionCredentials {
        let unsigned = role.request.unsigned()
        let service = role.request.service
        let line = ServiceLine(
            to: HTTPRequest(
                method: .post(body: unsigned.body), url: service.url, caBundle: caBundle,
                allowsLoopbackPlaintext: service.endpoint.isPlaintext), clock: clock, log: log)
        defer {
            line.hangUp()
            clinux_wipe_stack()
        }
        try await line.open()
        let answer = try await line.send(
            key.accessKey.sign(unsigned, at: clock.wall() / 1000, with: .openSSL).headers)
        let assumed: AssumedRole
        do throws(STSError) {
            assumed = try STSResponse.assumedRole(answer, to: role.request)
        } catch {
            throw error.problem(of: role.base, signedBy: key)
        }
        log.notice(
            "session",
            metadata: [
                "profile": "\(name)", "source-profile": "\(role.base)", "role": "\(assumed.arn)",
                "access-key-id": "\(assumed.credentials.accessKeyID)",
                "expiration": "\(UTCTime(secondsSince1970: assumed.credentials.expiration))",
            ])
        return assumed.credentials
    }
}

extension HashFunctions {
    fileprivate static let openSSL = HashFunctions(sha256: Digest.sha256) { Digest.hmac(key: $0, $1) }
}

extension STSError {
    /// - Parameters:
    ///   - base: The profile whose session asked.
    ///   - key: Of that session. What the service's words have of it is left out.
    func problem(of base: ProfileName, signedBy key: SessionKey) -> Problem {
        let message = key.redact(message)
        guard case .newSource = retry else { return problem(message, hint: hint) }
        let another = "ask for another session with 'tokenward refresh \(base)'"
        return problem(message, hint: hint.map { "\($0), or \(another)" } ?? another, retry: .base)
    }

    /// - Parameter key: The id of the IAM user's access key that asked.
    func problem(ofAccessKey key: String) -> Problem { problem("access key \(key): \(message)", hint: hint) }
}
