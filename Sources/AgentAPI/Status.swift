/// A profile, and how it is doing: `GET /v1/profiles`.
package struct ProfileStatus: Message {
    /// The certificate that the profile signs in with.
    package struct Certificate: Message {
        package var uri = ""
        /// Decimal digits.
        package var serial = "?"
        /// RFC 3339, UTC.
        package var notAfter = "?"

        package init() {}

        package mutating func members(_ coder: inout MessageCoder) {
            coder.member("uri", &uri)
            coder.member("serial", &serial)
            coder.member("not_after", &notAfter)
        }
    }

    /// The access key that the profile signs with, whose secret a token holds.
    package struct AccessKey: Message {
        /// Such as `AKIA…`; no secret.
        package var id = "?"
        /// The secret key's URI, as the profile has it.
        package var uri = "?"

        package init() {}

        package mutating func members(_ coder: inout MessageCoder) {
            coder.member("id", &id)
            coder.member("uri", &uri)
        }
    }

    /// What a person will be asked for, and when at the earliest.
    package struct NextGesture: Message {
        package enum Kind: String, CaseIterable, Sendable {
            case pin, touch
            case mfaCode = "mfa-code"
        }

        package var kind: Word<Kind> = .untold
        /// RFC 3339, UTC.
        package var due = "?"

        package init() {}

        package mutating func members(_ coder: inout MessageCoder) {
            coder.member("kind", &kind)
            coder.member("due", &due)
        }
    }

    /// The last problem that a program got in place of credentials.
    package struct Refusal: Message {
        /// Its name in /proc, which it may have chosen itself; absent where it cannot be told.
        package var program: String?
        package var uid: UInt32 = .max
        /// RFC 3339, UTC.
        package var time = "?"
        /// A word of `Problem.Code`.
        package var code = "?"
        /// One line.
        package var detail = "?"

        package init() {}

        package mutating func members(_ coder: inout MessageCoder) {
            coder.member("program", &program)
            coder.member("uid", &uid)
            coder.member("time", &time)
            coder.member("code", &code)
            coder.member("detail", &detail)
        }
    }

    package var name = "?"
    /// Such as `roles-anywhere`.
    package var source = "?"
    package var roleARN = "?"
    /// Absent where no certificate fits; `explain` says why.
    package var certificate: Certificate?
    /// Absent where the profile signs with none.
    package var accessKey: AccessKey?
    /// RFC 3339, UTC; absent where there is no session.
    package var sessionExpiry: String?
    /// The most that AWS gives a session of it, in seconds, whatever its role allows; absent where that is the role's affair.
    package var sessionCapSeconds: Int64?
    /// The profile whose session its sessions are made of; absent where they come from a token.
    package var sourceProfile: String?
    /// The fallback whose sessions its callers get, as it is down; absent where they get its own.
    package var standIn: String?
    /// One line; absent where the last attempt succeeded.
    package var lastError: String?
    /// Absent where a session needs no person.
    package var nextGesture: NextGesture?
    /// Since the agent's start, one for each program and user, the newest first; at most eight.
    package var lastRefusals: [Refusal] = []

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("name", &name)
        coder.member("source", &source)
        coder.member("role_arn", &roleARN)
        coder.member("certificate", &certificate)
        coder.member("access_key", &accessKey)
        coder.member("session_expiry", &sessionExpiry)
        coder.member("session_cap_seconds", &sessionCapSeconds)
        coder.member("source_profile", &sourceProfile)
        coder.member("stand_in", &standIn)
        coder.member("last_error", &lastError)
        coder.member("next_gesture", &nextGesture)
        coder.member("last_refusals", &lastRefusals)
    }
}

/// A module and its worker.
package struct ModuleStatus: Message {
    package enum State: String, CaseIterable, Sendable {
        case starting, running, failed
    }

    /// The module's path, or the name under which p11-kit has it.
    package var module = "?"
    package var state: Word<State> = .untold
    /// One line; absent where the last call succeeded.
    package var lastError: String?

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("module", &module)
        coder.member("state", &state)
        coder.member("last_error", &lastError)
    }
}

/// The agent in short: `GET /v1/status`.
package struct Status: Message {
    package var version = "?"
    package var pid: Int32 = 0
    /// Whether it runs for the whole system.
    package var system = false
    package var uptimeSeconds: Int64 = 0
    package var modules: [ModuleStatus] = []
    package var tokens: [TokenListing] = []
    package var profiles: [ProfileStatus] = []
    /// What this machine does not offer, and what that means: one line each.
    package var notices: [String] = []

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("version", &version)
        coder.member("pid", &pid)
        coder.member("system", &system)
        coder.member("uptime_seconds", &uptimeSeconds)
        coder.member("modules", &modules)
        coder.member("tokens", &tokens)
        coder.member("profiles", &profiles)
        coder.member("notices", &notices)
    }
}
