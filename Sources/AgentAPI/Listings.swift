/// A certificate that was found on a token: `GET /v1/identities`.
package struct IdentityListing: Codable, Hashable, Sendable {
    package var uri: String
    /// The token's label.
    package var token: String
    /// RFC 2253 text.
    package var subject: String
    package var issuer: String
    /// Decimal digits, as Roles Anywhere writes serial numbers.
    package var serial: String
    /// RFC 3339, UTC.
    package var notBefore: String
    package var notAfter: String
    /// Such as `RSA-2048` or `P-256`.
    package var keyType: String
    /// Whether the same token has its private key.
    package var hasKey: Bool
    /// Whether a session can be had with it.
    package var usable: Bool
    /// Why not, when it is not usable.
    package var reasons: [String]
    /// The profiles that choose it.
    package var profiles: [String]

    enum CodingKeys: String, CodingKey {
        case uri, token, subject, issuer, serial
        case notBefore = "not_before"
        case notAfter = "not_after"
        case keyType = "key_type"
        case hasKey = "has_key"
        case usable, reasons, profiles
    }

    package init(
        uri: String, token: String, subject: String, issuer: String, serial: String, notBefore: String,
        notAfter: String, keyType: String, hasKey: Bool, usable: Bool, reasons: [String], profiles: [String]
    ) {
        self.uri = uri
        self.token = token
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.keyType = keyType
        self.hasKey = hasKey
        self.usable = usable
        self.reasons = reasons
        self.profiles = profiles
    }
}

/// A token: `GET /v1/tokens`.
package struct TokenListing: Codable, Hashable, Sendable {
    package enum State: String, Codable, CaseIterable, Sendable {
        case ready
        case pinNeeded = "pin-needed"
        case pinBlocked = "pin-blocked"
        case absent
        case failed
    }

    /// What the token's flags say about the attempts that are left (PKCS#11 2.40 §3.2, CKF_USER_PIN_…).
    package enum PINTries: String, Codable, CaseIterable, Sendable {
        case ok, low, final, locked
        /// It may have counted a PIN that it was sent, and its flags tell nothing, as PKCS#11 allows.
        case unknown
    }

    /// What the token waits for just now.
    package enum Awaited: String, Codable, CaseIterable, Sendable {
        /// A signature takes so long that the token probably blinks.
        case touch
        /// The reader's keypad waits for the PIN.
        case pinpad
    }

    package var uri: String
    package var label: String
    package var manufacturer: String
    package var model: String
    package var serial: String
    /// The module's path; where two modules have one library, with the name or the settings that tell them apart.
    package var module: String
    package var present: Bool
    package var state: State
    package var pinTries: PINTries
    /// Whether the PIN is typed on the reader's keypad.
    package var pinpad: Bool
    /// Absent where nobody is waited for.
    package var awaiting: Awaited?

    enum CodingKeys: String, CodingKey {
        case uri, label, manufacturer, model, serial, module, present, state, pinpad, awaiting
        case pinTries = "pin_tries"
    }

    package init(
        uri: String, label: String, manufacturer: String, model: String, serial: String, module: String,
        present: Bool, state: State, pinTries: PINTries, pinpad: Bool = false, awaiting: Awaited? = nil
    ) {
        self.pinpad = pinpad
        self.awaiting = awaiting
        self.uri = uri
        self.label = label
        self.manufacturer = manufacturer
        self.model = model
        self.serial = serial
        self.module = module
        self.present = present
        self.state = state
        self.pinTries = pinTries
    }
}

/// A certificate and what choosing made of it: `GET /v1/profiles/{name}/explain`.
package struct ExplainedCandidate: Codable, Hashable, Sendable {
    /// Its key's, where the certificate comes from a file; empty where there is no key either.
    package var uri: String
    package var subject: String
    /// Decimal digits.
    package var serial: String
    /// RFC 3339, UTC.
    package var notAfter: String
    package var chosen: Bool
    /// Why it was dropped, or why it was chosen.
    package var reasons: [String]

    enum CodingKeys: String, CodingKey {
        case uri, subject, serial, chosen, reasons
        case notAfter = "not_after"
    }

    package init(
        uri: String, subject: String, serial: String, notAfter: String, chosen: Bool, reasons: [String]
    ) {
        self.uri = uri
        self.subject = subject
        self.serial = serial
        self.notAfter = notAfter
        self.chosen = chosen
        self.reasons = reasons
    }
}
