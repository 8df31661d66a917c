import AgentAPI
import CLinux
import Glibc
import ServiceAnswers
import Synchronization

/// A session as clients get it: rendered once, shared by all answers, and wiped with the last reference. What is rendered is
/// the only copy of its secret parts.
package final class CachedCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The profile that it was obtained for, then those whose sessions it was made of.
    package let profiles: [ProfileName]
    /// Not a secret: it names the session in the audit log.
    package let accessKeyID: String
    /// Seconds since 1970-01-01T00:00:00Z.
    package let expiration: Int64
    let validity: SessionValidity
    /// The refresh starts when no more than this is left, in milliseconds.
    let refreshLead: Int64
    private let bytes: Mutex<[UInt8]>
    private let accountID: String?
    private let renderForEndpoint: @Sendable (SessionCredentials) -> [UInt8]

    /// - Throws: `.awsAnswerInvalid` for what must never be handed out: incomplete, expired, or not to be believed.
    init(
        _ fresh: SessionCredentials, of profiles: [ProfileName], receivedAt now: Moment, _ settings: CacheSettings
    ) throws(Problem) {
        guard
            ![fresh.accessKeyID, fresh.secretAccessKey, fresh.sessionToken].contains(where: \.isEmpty),
            fresh.accountID?.isEmpty != true
        else { throw Self.invalid("the service's answer lacks a part of the credentials") }
        guard let validity = SessionValidity(expiration: fresh.expiration, receivedAt: now) else {
            throw Self.invalid("the service's answer has an expiration that is past or cannot be right")
        }
        self.profiles = profiles
        self.validity = validity
        refreshLead = validity.refreshLead(random: settings.random)
        accessKeyID = fresh.accessKeyID
        expiration = fresh.expiration
        bytes = Mutex(settings.render(fresh))
        accountID = fresh.accountID
        renderForEndpoint = settings.renderForEndpoint
        clinux_wipe_stack()
    }

    private static func invalid(_ detail: Problem.Detail) -> Problem {
        Problem(.awsAnswerInvalid, detail, hint: "check the clock and the endpoint")
    }

    /// The rendered credentials, secret. Not a copy: hold it no longer than it takes to send it.
    package var body: [UInt8] { bytes.withLock { $0 } }

    /// The same, as an endpoint's clients read it.
    var endpointBody: [UInt8] { renderForEndpoint(session) }

    /// Signs for the sessions that are made of this one. Made anew each time: hold it no longer than it takes to sign.
    package var key: SessionKey { SessionKey(session) }

    /// The session as the service gave it.
    private var session: SessionCredentials {
        let secrets = bytes.withLock { CredentialDocument.secrets(of: $0) }
        return SessionCredentials(
            accessKeyID: accessKeyID, secretAccessKey: secrets.secretAccessKey, sessionToken: secrets.sessionToken,
            expiration: expiration, accountID: accountID)
    }

    deinit {
        bytes.withLock { bytes in
            unsafe bytes.withUnsafeMutableBytes { buffer in
                guard let start = buffer.baseAddress else { return }
                unsafe explicit_bzero(start, buffer.count)
            }
        }
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
}

extension CachedCredentials: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: []) }
}
