/// A certificate that was found on a token: `GET /v1/identities`.
package struct IdentityListing: Message {
    package var uri = "?"
    /// The token's label.
    package var token = "?"
    /// RFC 2253 text.
    package var subject = "?"
    package var issuer = "?"
    /// Decimal digits, as Roles Anywhere writes serial numbers.
    package var serial = "?"
    /// RFC 3339, UTC.
    package var notBefore = "?"
    package var notAfter = "?"
    /// Such as `RSA-2048` or `P-256`.
    package var keyType = "?"
    /// Whether the same token has its private key.
    package var hasKey = true
    /// Whether it can get a session.
    package var usable = true
    /// Why not, when it is not usable.
    package var reasons: [String] = []
    /// The profiles that choose it.
    package var profiles: [String] = []

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("uri", &uri)
        coder.member("token", &token)
        coder.member("subject", &subject)
        coder.member("issuer", &issuer)
        coder.member("serial", &serial)
        coder.member("not_before", &notBefore)
        coder.member("not_after", &notAfter)
        coder.member("key_type", &keyType)
        coder.member("has_key", &hasKey)
        coder.member("usable", &usable)
        coder.member("reasons", &reasons)
        coder.member("profiles", &profiles)
    }
}

/// A token: `GET /v1/tokens`.
package struct TokenListing: Message {
    package enum State: String, CaseIterable, Sendable {
        case ready
        case pinNeeded = "pin-needed"
        case pinBlocked = "pin-blocked"
        case absent
        case failed
    }

    /// What the token's flags say about the attempts that are left (PKCS#11 2.40 §3.2, CKF_USER_PIN_…).
    package enum PINTries: String, CaseIterable, Sendable {
        case ok, low, final, locked
        /// It may have counted a PIN that it was sent, and its flags tell nothing, as PKCS#11 allows.
        case unknown
    }

    /// What the token waits for just now.
    package enum Awaited: String, CaseIterable, Sendable {
        /// A signature takes so long that the token probably blinks.
        case touch
        /// The reader's keypad waits for the PIN.
        case pinpad
    }

    package var uri = "?"
    package var label = "?"
    package var manufacturer = "?"
    package var model = "?"
    package var serial = "?"
    /// The module's path; where two modules have one library, with the name or the settings that tell them apart.
    package var module = ""
    package var present = true
    package var state: Word<State> = .untold
    package var pinTries: Word<PINTries> = .untold
    /// Whether the PIN is typed on the reader's keypad.
    package var pinpad = false
    /// Absent where the token waits for no person.
    package var awaiting: Word<Awaited>?

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("uri", &uri)
        coder.member("label", &label)
        coder.member("manufacturer", &manufacturer)
        coder.member("model", &model)
        coder.member("serial", &serial)
        coder.member("module", &module)
        coder.member("present", &present)
        coder.member("state", &state)
        coder.member("pin_tries", &pinTries)
        coder.member("pinpad", &pinpad)
        coder.member("awaiting", &awaiting)
    }
}

/// A certificate and what choosing made of it: `GET /v1/profiles/{name}/explain`.
package struct ExplainedCandidate: Message {
    /// Its key's, where the certificate comes from a file; empty where there is no key either.
    package var uri = "?"
    package var subject = "?"
    /// Decimal digits.
    package var serial = "?"
    /// RFC 3339, UTC.
    package var notAfter = "?"
    package var chosen = false
    /// Why it was dropped, or why it was chosen.
    package var reasons: [String] = []
    /// The profile that takes it, where the one asked for has no certificate and is made of that one's sessions.
    package var sourceProfile: String?

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("uri", &uri)
        coder.member("subject", &subject)
        coder.member("serial", &serial)
        coder.member("not_after", &notAfter)
        coder.member("chosen", &chosen)
        coder.member("reasons", &reasons)
        coder.member("source_profile", &sourceProfile)
    }
}
