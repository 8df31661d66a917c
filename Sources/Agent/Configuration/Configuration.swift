package import PKCS11URI
package import RolesAnywhere

/// All that the agent was told, read once and never changed; a reload makes another.
package struct Configuration: Hashable, Sendable {
    /// Empty: every module that p11-kit has registered, p11-kit-trust apart.
    package var modules: [ModuleConfiguration]
    /// PIN rules, in order: the first whose URI matches a token wins.
    package var tokens: [TokenRule]
    package var profiles: [ProfileName: Profile]

    package init(modules: [ModuleConfiguration], tokens: [TokenRule], profiles: [ProfileName: Profile]) {
        self.modules = modules
        self.tokens = tokens
        self.profiles = profiles
    }
}

/// A PKCS#11 module, and how to run it.
package struct ModuleConfiguration: Hashable, Sendable {
    package enum Location: Hashable, Sendable {
        /// An absolute path to a shared library.
        case path(String)
        /// The name under which p11-kit registers it: the module file's name without `.module`.
        case name(String)
    }
    package var location: Location
    /// Environment variables for the module's process, which has no others.
    package var environment: [String: String]
    /// How many PKCS#11 sessions may sign at the same time: 1 to 64.
    package var sessions: Int

    package init(location: Location, environment: [String: String] = [:], sessions: Int = 2) {
        self.location = location
        self.environment = environment
        self.sessions = sessions
    }
}

/// How the tokens that a URI matches get their PIN.
package struct TokenRule: Hashable, Sendable {
    package enum PINSource: Hashable, Sendable {
        case prompt
        /// An absolute path to a file of ours with mode 0600 or less.
        case file(String)
        /// The name of a systemd credential: a file in `$CREDENTIALS_DIRECTORY` (systemd.exec(5)).
        case credential(String)
        /// The reader's own pinpad (CKF_PROTECTED_AUTHENTICATION_PATH).
        case protected
    }
    package var uri: PKCS11URI
    package var pinSource: PINSource
    /// How long a PIN that was typed lasts, in seconds; 0: one signature.
    package var pinLifetimeSeconds: Int

    package init(uri: PKCS11URI, pinSource: PINSource, pinLifetimeSeconds: Int = 28_800) {
        self.uri = uri
        self.pinSource = pinSource
        self.pinLifetimeSeconds = pinLifetimeSeconds
    }
}

/// A profile's name: 1 to 64 of `A-Z a-z 0-9 _ . -`, not starting with a dot or a dash.
package struct ProfileName: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let description: String

    package init?(_ text: String) {
        let isAllowed = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(isAllowed),
            text.utf8.first != UInt8(ascii: "."), text.utf8.first != UInt8(ascii: "-")
        else { return nil }
        description = text
    }

    package static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}

/// Where a profile's credentials come from, and who may have them.
package struct Profile: Hashable, Sendable {
    package var identity: IdentitySelector
    package var session: SessionRequest
    package var allow: AllowList

    package init(identity: IdentitySelector, session: SessionRequest, allow: AllowList) {
        self.identity = identity
        self.session = session
        self.allow = allow
    }
}

/// Which certificate a profile signs in with.
package struct IdentitySelector: Hashable, Sendable {
    package enum Certificate: Hashable, Sendable {
        /// Whatever the selectors leave, on any token.
        case any
        case token(PKCS11URI)
        /// An absolute path to a PEM or DER file; its key is on a token.
        case file(String)
    }
    package var certificate: Certificate
    /// Where the private key is, when `certificate` is a file.
    package var key: PKCS11URI?
    /// RFC 2253 text, or part of it; see `certificate-subject`.
    package var subject: String?
    package var issuer: String?
    /// Decimal or hexadecimal digits, as written.
    package var serial: String?
    /// An absolute path to a PEM file with intermediate certificates.
    package var intermediates: String?

    package init(
        certificate: Certificate = .any, key: PKCS11URI? = nil, subject: String? = nil, issuer: String? = nil,
        serial: String? = nil, intermediates: String? = nil
    ) {
        self.certificate = certificate
        self.key = key
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
        self.intermediates = intermediates
    }
}

/// A Roles Anywhere session as a profile asks for it.
package struct SessionRequest: Hashable, Sendable {
    package var trustAnchorARN: ARN
    package var profileARN: ARN
    package var roleARN: ARN
    /// 900 to 43,200.
    package var durationSeconds: Int
    package var roleSessionName: String?
    package var instanceProperties: [String: String]
    package var endpoint: Endpoint
    /// An absolute path to a PEM file, which replaces the system's roots.
    package var caBundle: String?

    package init(
        trustAnchorARN: ARN, profileARN: ARN, roleARN: ARN, durationSeconds: Int = 3600,
        roleSessionName: String? = nil, instanceProperties: [String: String] = [:], endpoint: Endpoint,
        caBundle: String? = nil
    ) {
        self.trustAnchorARN = trustAnchorARN
        self.profileARN = profileARN
        self.roleARN = roleARN
        self.durationSeconds = durationSeconds
        self.roleSessionName = roleSessionName
        self.instanceProperties = instanceProperties
        self.endpoint = endpoint
        self.caBundle = caBundle
    }
}

/// Who may use a profile, beside the rule for its absence: the agent's own user alone.
package struct AllowList: Hashable, Sendable {
    package var users: Set<UInt32>
    package var groups: Set<UInt32>

    package init(users: Set<UInt32>, groups: Set<UInt32>) {
        self.users = users
        self.groups = groups
    }
}
