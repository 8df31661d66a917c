import Encodings
import HeaderFields
import JSON
import ServiceAnswers

typealias CreateSessionReading = ServiceReading<CreateSessionRefusal>

extension CreateSessionReading {
    /// The error that an answer other than 2xx stands for.
    ///
    /// The code comes from `x-amzn-ErrorType`, or from the body's `__type` or `code`; the message from `message` or
    /// `Message` (AWS restJson1 protocol, and the service's observed answers).
    var refusal: CreateSessionError {
        let status = answer.status
        if (300..<400).contains(status) { return error(.redirect) }
        let json = answer.json
        let code = errorCode(json)
        let text = answer.words
        let isFromService = json != nil || code != nil
        if !isFromService, status < 500, status != 429 { return error(.foreign) }
        return error(kind(of: code ?? "", text: text ?? ""), code: code, message: text)
    }

    private func kind(of code: String, text: String) -> CreateSessionError.Kind {
        let status = answer.status
        if status == 429 || Self.throttlingCodes.contains(code) || code.hasPrefix("Throttl") {
            return .throttled(retryAfterSeconds: answer.retryAfterSeconds)
        }
        if status >= 500 { return .server(retryAfterSeconds: answer.retryAfterSeconds) }
        let lower = text.lowercased()
        if lower.holds(text: "untrusted signing certificate") { return .refused(.untrustedCertificate) }
        if lower.holds(text: "invalid signature") || lower.holds(text: "signature expired")
            || Self.signatureCodes.contains(code)
        {
            return .refused(.invalidSignature)
        }
        if lower.holds(text: "not authorized to set rolesessionname") { return .refused(.roleSessionNameRefused) }
        if code == "ValidationException" || (status == 400 && code.isEmpty) { return .refused(.validation) }
        if code == "ResourceNotFoundException" || (status == 404 && code.isEmpty) { return .refused(.notFound) }
        if code.hasPrefix("AccessDenied") || status == 401 || status == 403 { return .refused(.accessDenied) }
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
            answer.headers.value(of: "x-amzn-ErrorType")
            ?? json?["__type"]?.text ?? json?["code"]?.text
        guard let named else { return nil }
        let bare = named.prefix { $0 != ":" }.split(separator: "#").last.map(String.init) ?? ""
        let isName =
            (1...128).contains(bare.utf8.count) && bare.utf8.allSatisfy { $0.isAlphanumeric || $0 == 0x2E }
        return isName ? bare : nil
    }
}
