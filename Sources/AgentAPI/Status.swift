/// A profile, and how it is doing: `GET /v1/profiles`.
package struct ProfileStatus: Codable, Hashable, Sendable {
    /// The certificate that the profile signs in with.
    package struct Certificate: Codable, Hashable, Sendable {
        package var uri: String
        /// Decimal digits.
        package var serial: String
        /// RFC 3339, UTC.
        package var notAfter: String

        enum CodingKeys: String, CodingKey {
            case uri, serial
            case notAfter = "not_after"
        }

        package init(uri: String, serial: String, notAfter: String) {
            self.uri = uri
            self.serial = serial
            self.notAfter = notAfter
        }
    }

    /// What a person will be asked for, and when at the earliest.
    package struct NextGesture: Codable, Hashable, Sendable {
        package enum Kind: String, Codable, CaseIterable, Sendable { case pin, touch }

        package var kind: Kind
        /// RFC 3339, UTC.
        package var due: String

        package init(kind: Kind, due: String) {
            self.kind = kind
            self.due = due
        }
    }

    /// What a program was told in the place of credentials, the last time.
    package struct Refusal: Codable, Hashable, Sendable {
        /// Its name in /proc, which it may have chosen itself; absent where it cannot be told.
        package var program: String?
        package var uid: UInt32
        /// RFC 3339, UTC.
        package var time: String
        /// A word of `Problem.Code`.
        package var code: String
        /// One line.
        package var detail: String

        package init(program: String?, uid: UInt32, time: String, code: String, detail: String) {
            self.program = program
            self.uid = uid
            self.time = time
            self.code = code
            self.detail = detail
        }
    }

    package var name: String
    /// Such as `roles-anywhere`.
    package var source: String
    package var roleARN: String
    /// Absent where no certificate fits; `explain` says why.
    package var certificate: Certificate?
    /// RFC 3339, UTC; absent where there is no session.
    package var sessionExpiry: String?
    /// One line; absent where the last attempt succeeded.
    package var lastError: String?
    /// Absent where sessions are had without anybody.
    package var nextGesture: NextGesture?
    /// Since the agent's start, one for each program and user, the newest first; at most eight.
    package var lastRefusals: [Refusal]

    enum CodingKeys: String, CodingKey {
        case name, source, certificate
        case roleARN = "role_arn"
        case sessionExpiry = "session_expiry"
        case lastError = "last_error"
        case nextGesture = "next_gesture"
        case lastRefusals = "last_refusals"
    }

    package init(
        name: String, source: String, roleARN: String, certificate: Certificate? = nil, sessionExpiry: String? = nil,
        lastError: String? = nil, nextGesture: NextGesture? = nil, lastRefusals: [Refusal] = []
    ) {
        self.name = name
        self.source = source
        self.roleARN = roleARN
        self.certificate = certificate
        self.sessionExpiry = sessionExpiry
        self.lastError = lastError
        self.nextGesture = nextGesture
        self.lastRefusals = lastRefusals
    }
}

/// A module and its worker.
package struct ModuleStatus: Codable, Hashable, Sendable {
    package enum State: String, Codable, CaseIterable, Sendable {
        case starting, running, failed
    }

    /// The module's path, or the name under which p11-kit has it.
    package var module: String
    package var state: State
    /// One line; absent where the last call succeeded.
    package var lastError: String?

    enum CodingKeys: String, CodingKey {
        case module, state
        case lastError = "last_error"
    }

    package init(module: String, state: State, lastError: String? = nil) {
        self.module = module
        self.state = state
        self.lastError = lastError
    }
}

/// The agent in short: `GET /v1/status`.
package struct Status: Codable, Hashable, Sendable {
    package var version: String
    package var pid: Int32
    /// Whether it runs for the whole system.
    package var system: Bool
    package var uptimeSeconds: Int64
    package var modules: [ModuleStatus]
    package var tokens: [TokenListing]
    package var profiles: [ProfileStatus]
    /// What this machine does not offer, and what that means: one line each.
    package var notices: [String]

    enum CodingKeys: String, CodingKey {
        case version, pid, system, modules, tokens, profiles, notices
        case uptimeSeconds = "uptime_seconds"
    }

    package init(
        version: String, pid: Int32, system: Bool, uptimeSeconds: Int64, modules: [ModuleStatus],
        tokens: [TokenListing], profiles: [ProfileStatus], notices: [String]
    ) {
        self.version = version
        self.pid = pid
        self.system = system
        self.uptimeSeconds = uptimeSeconds
        self.modules = modules
        self.tokens = tokens
        self.profiles = profiles
        self.notices = notices
    }
}
