import Encodings
import HeaderFields
import JSON
import PlainText
import ServiceAnswers

extension ServiceAnswer {
    func error(_ kind: ServiceError.Kind, code: String? = nil, message: String? = nil) -> ServiceError {
        ServiceError(
            kind: kind, status: status, code: code, serviceMessage: message, requestID: requestID, clockSkew: clockSkew)
    }
}

extension ServiceAnswer {
    /// The error that an answer other than 2xx stands for.
    ///
    /// The code comes from `x-amzn-ErrorType`, or from the body's `__type` or `code`; the message from `message` or
    /// `Message` (AWS restJson1 protocol, and the service's observed answers).
    var refusal: ServiceError {
        if (300..<400).contains(status) { return error(.redirect) }
        let json = json
        let code = errorCode(json)
        let text = (json?["message"]?.text ?? json?["Message"]?.text).map { PlainText.message($0, longest: 300) }
        let isFromService = json != nil || code != nil
        if !isFromService, status < 500, status != 429 { return error(.notJSON) }
        return error(kind(of: code ?? "", text: text ?? ""), code: code, message: text)
    }

    private func kind(of code: String, text: String) -> ServiceError.Kind {
        if status == 429 || Self.throttlingCodes.contains(code) || code.hasPrefix("Throttl") {
            return .throttled(retryAfterSeconds: retryAfterSeconds)
        }
        if status >= 500 { return .server(retryAfterSeconds: retryAfterSeconds) }
        let lower = text.lowercased()
        if lower.holds(text: "untrusted signing certificate") { return .untrustedCertificate }
        if lower.holds(text: "invalid signature") || lower.holds(text: "signature expired")
            || Self.signatureCodes.contains(code)
        {
            return .invalidSignature
        }
        if lower.holds(text: "not authorized to set rolesessionname") { return .roleSessionNameRefused }
        if code == "ValidationException" || (status == 400 && code.isEmpty) { return .validation }
        if code == "ResourceNotFoundException" || (status == 404 && code.isEmpty) { return .notFound }
        if code.hasPrefix("AccessDenied") || status == 401 || status == 403 { return .accessDenied }
        return .other
    }

    private static let throttlingCodes: Set = [
        "TooManyRequestsException", "SlowDown", "RequestLimitExceeded", "LimitExceededException",
    ]

    private static let signatureCodes: Set = [
        "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignatureException", "RequestExpired",
    ]

    /// Without a suffix after `:`, and without a namespace before `#`.
    private func errorCode(_ json: JSONValue?) -> String? {
        let named =
            headers.value(of: "x-amzn-ErrorType")
            ?? json?["__type"]?.text ?? json?["code"]?.text
        guard let named else { return nil }
        let bare = named.prefix { $0 != ":" }.split(separator: "#").last.map(String.init) ?? ""
        let isName =
            (1...128).contains(bare.utf8.count) && bare.utf8.allSatisfy { $0.isAlphanumeric || $0 == 0x2E }
        return isName ? bare : nil
    }
}
