/// Why a request is refused, in the service's form: an HTTP status, a code, a message.
struct Refusal: Error {
    let status: Int
    let code: String
    let message: String
    /// True when no public report shows the real service saying this: the answer then carries `x-emulator-invention`.
    let isInvention: Bool
    /// For `/_emulator/last` alone: the service gives no such reasons.
    var detail: String?
}

/// The service's own messages, as public reports quote them.
extension Refusal {
    /// aws/rolesanywhere-credential-helper issue #128.
    static let invalidSignature = observedDenial("Invalid signature")

    /// Issue #108: no path from the certificate to the trust anchor.
    static func untrusted(_ detail: String) -> Refusal {
        var refusal = observedDenial("Untrusted Signing Certificate")
        refusal.detail = detail
        return refusal
    }

    /// Several public write-ups, all of them for a certificate without the digitalSignature key usage.
    static let insufficientCertificate = observedDenial("Untrusted certificate. Insufficient certificate")

    /// Issue #19.
    static let sessionNameNotAccepted = observedDenial("Not authorized to set roleSessionName.")

    /// Issue #77 and public write-ups: a role that the profile does not list, or whose trust policy refuses.
    static func cannotAssume(_ role: String, _ detail: String) -> Refusal {
        var refusal = observedDenial("Unable to assume role for \(role)")
        refusal.detail = detail
        return refusal
    }

    /// A public write-up, which quotes it over two lines.
    static func longerThanRoleAllows(_ role: String) -> Refusal {
        observedDenial(
            "Unable to assume role for \(role). "
                + "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    }

    private static func observedDenial(_ message: String) -> Refusal {
        Refusal(status: 403, code: "AccessDeniedException", message: message, isInvention: false)
    }
}

/// The emulator's messages where the service's are not known.
extension Refusal {
    static func denied(_ message: String) -> Refusal {
        Refusal(status: 403, code: "AccessDeniedException", message: message, isInvention: true)
    }

    /// The type is modelled for CreateSession; status and text are guesses.
    static func notFound(_ message: String) -> Refusal {
        Refusal(status: 404, code: "ResourceNotFoundException", message: message, isInvention: true)
    }

    /// The wording is that of AWS validators, seen on CreateProfile but not on CreateSession.
    static func invalid(_ value: String?, at member: String, _ constraint: String) -> Refusal {
        let value = value.map { "Value '\($0)'" } ?? "Value null"
        return Refusal(
            status: 400, code: "ValidationException",
            message: "1 validation error detected: \(value) at '\(member)' failed to satisfy constraint: "
                + "Member must \(constraint)",
            isInvention: true)
    }

    static let unreadableBody = Refusal(
        status: 400, code: "SerializationException", message: "The request body is not the JSON object it should be",
        isInvention: true)

    /// Smithy's name for it (restJson1 protocol); that the service looks at the type is an assumption.
    static let notJSON = Refusal(
        status: 415, code: "UnsupportedMediaTypeException",
        message: "The content type of the body must be application/json",
        isInvention: true)

    static func repeated(_ name: String) -> Refusal {
        Refusal(
            status: 400, code: "ValidationException", message: "The parameter '\(name)' stands twice", isInvention: true
        )
    }

    static let throttled = Refusal(
        status: 429, code: "ThrottlingException", message: "Rate exceeded", isInvention: true)
}
