package import PKCS11URI
package import TokenService
package import X509

/// A certificate that could be chosen, and the verdict on it.
package struct Candidate: Hashable, Sendable {
    package enum Verdict: Hashable, Sendable {
        /// Nothing speaks against it; nothing was chosen.
        case usable
        /// `reasons` says why.
        case dropped
        case chosen
        /// It is used where the chosen one fails: such as the same certificate on a second card, or one of a later URI.
        case spare
        case expiresEarlier
        /// Another expires at the same time and has another key.
        case tied
    }

    /// Nil where the certificate comes from a file.
    package let uri: PKCS11URI?
    /// Nil where it cannot be read.
    package let certificate: Certificate?
    /// Nil where there is no key.
    package let key: KeyLocation?
    /// All that speaks against it.
    package let reasons: [DropReason]
    package internal(set) var verdict: Verdict

    init(uri: PKCS11URI?, certificate: Certificate?, key: KeyLocation?, reasons: [DropReason]) {
        self.uri = uri
        self.certificate = certificate
        self.key = key
        self.reasons = reasons
        verdict = reasons.isEmpty ? .usable : .dropped
    }

    init(_ found: FoundCertificate, reasons: [DropReason]) {
        self.init(uri: found.uri, certificate: found.certificate, key: found.key, reasons: reasons)
    }

    /// True where a private key or its public half was seen.
    package var hasKey: Bool { key.map { $0.visibility != .hidden } ?? false }

    /// True where nothing speaks against it; a login may still be needed.
    package var isUsable: Bool { reasons.isEmpty }

    /// True where all that speaks against it is that its key cannot be seen before a login.
    package var isUsableAfterLogin: Bool { reasons == [.keyHidden] }

    /// Why it was or was not chosen: one line each, at least one.
    package var explanation: [String] {
        switch verdict {
        case .usable: ["usable"]
        case .dropped: reasons.map(\.message)
        case .chosen: ["chosen"]
        case .spare: ["a spare, used where the chosen one fails"]
        case .expiresEarlier: ["expires earlier than the chosen one"]
        case .tied: ["expires together with another one that has another key"]
        }
    }
}

/// A certificate and where its private key is.
package struct Identity: Hashable, Sendable {
    package let certificate: Certificate
    /// Nil where the certificate comes from a file.
    package let certificateURI: PKCS11URI?
    package let key: KeyLocation
}

/// Where a private key is, or should be.
package struct KeyLocation: Hashable, Sendable {
    package enum Visibility: Hashable, Sendable {
        /// The private key was seen.
        case seen(KeyObject)
        /// Its public half was seen, the private key needs a login first.
        case publicHalf(KeyObject)
        /// Nothing was seen: the token shows its keys after a login, if this one is there at all.
        case hidden
    }

    package let module: Int
    package let slotID: UInt64
    package let token: TokenDescription
    package let uri: PKCS11URI
    /// CKA_ID of the private key, as far as it is known.
    package let id: [UInt8]
    package let visibility: Visibility
    /// True where the token showed a public key that is the certificate's. Where it is not, nothing contradicts the
    /// pair, and the first signature shows whether it is one.
    package let isConfirmed: Bool

    /// True if the key needs a login before it can be used, as far as the token shows.
    package var needsLogin: Bool {
        if case .seen = visibility { return false }
        return true
    }
}
