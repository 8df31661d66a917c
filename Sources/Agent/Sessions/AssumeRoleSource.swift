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
                allowsLoopbackPlaintext: service.endpoint.isPlaintext))
        defer {
            line.hangUp()
            clinux_wipe_stack()
        }
        try await line.open()
        let answer = try await line.send(
            key.accessKey.sign(unsigned, at: clock.wall() / 1000, with: .openSSL).headers)
        let assumed: AssumedRole
        do throws(STSError) {
            assumed = try STSResponse.assumedRole(
                ServiceAnswer(
                    status: answer.status, headers: answer.headers, body: answer.body, receivedAt: clock.wall() / 1000),
                to: role.request)
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
        let retry: Problem.Retry? = if case .newSource = self.retry { .base } else { nil }
        let seconds: Int? = if case .pause(let seconds) = self.retry { seconds } else { nil }
        let another = "ask for another session with 'tokenward refresh \(base)'"
        let hint = retry == nil ? hint : hint.map { "\($0), or \(another)" } ?? another
        return Problem(problemCode, "\(key.redact(message), .reason)", hint: hint, retryAfter: seconds, retry: retry)
    }

    /// - Parameter key: The id of the IAM user's access key that asked.
    func problem(ofAccessKey key: String) -> Problem {
        let seconds: Int? = if case .pause(let seconds) = self.retry { seconds } else { nil }
        return Problem(problemCode, "\("access key \(key): \(message)", .reason)", hint: hint, retryAfter: seconds)
    }

    private var problemCode: Problem.Code {
        if isClocks { return .clockSkew }
        return switch kind {
        case .throttled: .awsThrottled
        case .server: .awsUnavailable
        case .accessDenied, .settingDenied, .mfaCodeRefused, .mfaDeviceRefused, .invalidSignature, .sourceExpired,
            .unknownKey:
            .awsDenied
        case .malformedPolicy, .packedPolicyTooLarge, .regionDisabled, .chainedTooLong, .tooLongForRole,
            .notForSessions, .validation:
            .awsRejected
        case .notXML, .redirect, .expiredAnswer, .wrongRole, .malformed, .other: .awsAnswerInvalid
        }
    }
}
