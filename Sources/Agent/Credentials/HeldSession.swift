import AgentAPI
import CLinux
import RolesAnywhere

/// A session in the cache.
struct HeldSession: Sendable {
    let credentials: CachedCredentials
    let validity: SessionValidity
    /// The refresh starts when no more than this is left, in milliseconds.
    let refreshLead: Int64

    /// - Throws: `.awsAnswerInvalid` for what must never be handed out: incomplete, expired, or not to be believed.
    init(_ fresh: SessionCredentials, receivedAt now: Moment, _ settings: CacheSettings) throws(Problem) {
        guard
            ![fresh.accessKeyID, fresh.secretAccessKey, fresh.sessionToken, fresh.accountID].contains(where: \.isEmpty)
        else { throw Self.invalid("the service's answer lacks a part of the credentials") }
        guard let validity = SessionValidity(expiration: fresh.expiration, receivedAt: now) else {
            throw Self.invalid("the service's answer has an expiration that is past or cannot be right")
        }
        self.validity = validity
        refreshLead = validity.refreshLead(random: settings.random)
        credentials = CachedCredentials(
            body: settings.render(fresh), accessKeyID: fresh.accessKeyID, expiration: fresh.expiration)
        clinux_wipe_stack()
    }

    private static func invalid(_ detail: Problem.Detail) -> Problem {
        Problem(.awsAnswerInvalid, detail, hint: "check the clock and the endpoint")
    }
}
