/// An error of the STS query protocol.
struct STSError: Error {
    let status: Int
    let code: String
    let message: String

    static let missingAuthentication = STSError(
        status: 403, code: "MissingAuthenticationToken", message: "Request is missing Authentication Token")
    static let invalidToken = STSError(
        status: 403, code: "InvalidClientTokenId", message: "The security token included in the request is invalid.")
    static let expiredToken = STSError(
        status: 403, code: "ExpiredToken", message: "The security token included in the request is expired")

    static func incompleteSignature(_ message: String) -> STSError {
        STSError(status: 400, code: "IncompleteSignature", message: message)
    }

    static func accessDenied(_ message: String) -> STSError {
        STSError(status: 403, code: "AccessDenied", message: message)
    }

    static func validation(_ message: String) -> STSError {
        STSError(status: 400, code: "ValidationError", message: message)
    }

    /// In the words of AWS' validators.
    static func invalid(_ value: String?, at member: String, _ constraint: String) -> STSError {
        let value = value.map { "Value '\($0)'" } ?? "Value null"
        return validation(
            "1 validation error detected: \(value) at '\(member)' failed to satisfy constraint: Member must \(constraint)"
        )
    }

    static func signatureDoesNotMatch(_ message: String) -> STSError {
        STSError(status: 403, code: "SignatureDoesNotMatch", message: message)
    }

    var xml: String {
        """
        <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <Error>
            <Type>\(status < 500 ? "Sender" : "Receiver")</Type>
            <Code>\(XMLText.escape(code))</Code>
            <Message>\(XMLText.escape(message))</Message>
          </Error>
          <RequestId>\(UUIDText.random())</RequestId>
        </ErrorResponse>

        """
    }
}

enum XMLText {
    /// Escapes markup; control characters, which XML 1.0 cannot hold, become question marks.
    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar.value < 0x20 ? "?" : scalar)
            }
        }
        return escaped
    }
}
