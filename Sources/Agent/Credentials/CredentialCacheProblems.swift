import AgentAPI

/// The problems that the cache itself reports.
extension CredentialCache {
    static let shuttingDown = Problem(.shuttingDown, "the agent is stopping", hint: "try again when it has restarted")

    static func locked(_ profile: ProfileName) -> Problem {
        Problem(.locked, "profile \(profile, .profile) is locked", hint: "run 'tokenward unlock'")
    }

    static func needsOwner(_ profile: ProfileName) -> Problem {
        Problem(
            .pinNeeded,
            "a session of profile \(profile, .profile) takes a touch, PIN or code, which no other user's request asks a person for",
            hint:
                "have the agent's user run 'tokenward refresh \(profile)', or write gestures = true in its allow table",
            retry: .person)
    }

    static func needsPerson(_ profile: ProfileName) -> Problem {
        Problem(
            .pinNeeded,
            "a session of profile \(profile, .profile) takes a touch, PIN or code, which an endpoint asks no person for",
            hint: "run 'tokenward refresh \(profile)'", retry: .person)
    }

    static func notYet(_ profile: ProfileName) -> Problem {
        Problem(
            .tokenBusy, "a session of profile \(profile, .profile) is being obtained", hint: "try again in a second",
            retryAfter: 1)
    }

    static func refreshedLately(_ profile: ProfileName, retryAfter: Int) -> Problem {
        Problem(
            .tooManyRequests, "profile \(profile, .profile) was refreshed on demand less than 30 seconds ago",
            hint: "try again later", retryAfter: retryAfter)
    }

    static func exhausted(_ profile: ProfileName) -> Problem {
        Problem(
            .tooManyRequests, "profile \(profile, .profile) has had as many attempts as it may have for now",
            hint: "find out who asks for so many, in the agent's log")
    }

    static func stillWorking(_ profile: ProfileName) -> Problem {
        Problem(
            .tokenBusy, "the token or AWS has not answered yet for profile \(profile, .profile), the attempt goes on",
            hint: "touch the token if it blinks, and try again", retryAfter: 1)
    }

    static func givenUp(_ profile: ProfileName) -> Problem {
        Problem(
            .tokenBusy, "neither the token nor AWS has answered in ten minutes for profile \(profile, .profile)",
            hint: "check the token with 'tokenward status'")
    }
}

extension Problem {
    /// Whether a fallback is tried: the service cannot be reached, fails or wants a rest, or the token is gone. Where it has
    /// refused, or the token waits for a person, another profile is no remedy.
    var isDown: Bool { [.awsUnavailable, .awsThrottled, .tokenGone, .noToken].contains(code) }

    /// The same for callers of a profile whose sessions are made of this one's. It names the hop that has it, once.
    func asked(for base: ProfileName) -> Problem {
        var problem = self
        if parameters[.sourceProfile] == nil { problem.append(" (source profile \(base, .sourceProfile))") }
        return problem
    }
}
