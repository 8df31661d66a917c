import Encodings
import HeaderFields
import PlainText
import ServiceAnswers

extension STSReading {
    /// The error that an answer other than 200 stands for: `ErrorResponse` with `Error` and `RequestId` (AWS query
    /// protocol).
    var refusal: STSError {
        if (300..<400).contains(answer.status) { return error(.redirect) }
        // Whatever it is otherwise, it is no error of STS.
        let root = try? XMLReader.read(answer.body.span)
        let element = root?.name == "ErrorResponse" ? root?["Error"] : nil
        guard let element, let code = errorCode(element["Code"]?.text ?? "") else {
            return switch answer.status {
            case 429: error(.throttled(retryAfterSeconds: answer.retryAfterSeconds))
            case 500...: error(.server(retryAfterSeconds: answer.retryAfterSeconds))
            default: error(.foreign)
            }
        }
        let text = Self.words(element["Message"]?.text ?? "")
        let requestID = root?["RequestId"].map { PlainText.message($0.text, longest: 64) }
        return error(
            kind(of: code, text: text.lowercased()), code: code, message: text.isEmpty ? nil : text,
            requestID: requestID)
    }

    /// The first line: further ones repeat the request as it should have been signed, with its session token.
    private static func words(_ text: String) -> String {
        let text = text.drop(while: \.isWhitespace)
        return PlainText.message(String(text.prefix { !$0.isNewline }), longest: 300)
    }

    private func errorCode(_ text: String) -> String? {
        let isName =
            (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: ".") }
        return isName ? text : nil
    }

    private func kind(of code: String, text: String) -> STSError.Kind {
        if answer.status == 429 || Self.throttlingCodes.contains(code) {
            return .throttled(retryAfterSeconds: answer.retryAfterSeconds)
        }
        if answer.status >= 500 { return .server(retryAfterSeconds: answer.retryAfterSeconds) }
        if let refusal = Self.refusals[code] { return .refused(refusal) }
        switch code {
        case "AccessDenied", "AccessDeniedException": return .refused(deniedRefusal(text))
        case "ValidationError", "ValidationException": return .refused(validationRefusal(text))
        default: return .other
        }
    }

    private static let throttlingCodes: Set = [
        "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "RequestThrottled",
    ]

    /// Codes that mean one thing (STS API reference, "Common Errors" and the operations' own).
    private static let refusals: [String: STSRefusal] = [
        "MalformedPolicyDocument": .malformedPolicy, "PackedPolicyTooLarge": .packedPolicyTooLarge,
        "RegionDisabledException": .regionDisabled, "ExpiredToken": .sourceExpired,
        "ExpiredTokenException": .sourceExpired, "InvalidClientTokenId": .unknownKey,
        "UnrecognizedClientException": .unknownKey, "SignatureDoesNotMatch": .invalidSignature,
        "IncompleteSignature": .invalidSignature, "RequestExpired": .invalidSignature,
        "InvalidParameterValue": .validation, "InvalidParameterCombination": .validation,
    ]

    private func deniedRefusal(_ text: String) -> STSRefusal {
        if text.holds(text: "multifactorauthentication") {
            return text.holds(text: "one time pass code") && text.holds(text: "invalid")
                || text.holds(text: "unable to validate mfa code") ? .mfaCodeRefused : .mfaDeviceRefused
        }
        if text.holds(text: "sts:tagsession") { return .settingDenied(.tags) }
        if text.holds(text: "sts:setsourceidentity") { return .settingDenied(.sourceIdentity) }
        if text.holds(text: "cannot call getsessiontoken with session credentials") { return .notForSessions }
        return .accessDenied
    }

    private func validationRefusal(_ text: String) -> STSRefusal {
        if text.holds(text: "role chaining") { return .chainedTooLong }
        if text.holds(text: "maxsessionduration") { return .tooLongForRole }
        if text.holds(text: "source identity") || text.holds(text: "sourceidentity") {
            return .settingDenied(.sourceIdentity)
        }
        return .validation
    }
}
