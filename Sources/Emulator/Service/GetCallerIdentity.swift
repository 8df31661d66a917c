/// STS GetCallerIdentity for the credentials that this emulator has issued: the proof that they work.
///
/// Source: STS API reference; SigV4 as in "Create a signed AWS API request".
struct GetCallerIdentity {
    let sessions: SessionTable
    let now: UTCTime

    /// STS says in its errors that it allows fifteen minutes.
    private static let skewSeconds = 900

    func answer(_ request: ReceivedRequest, trace: inout Trace) throws(STSError) -> String {
        let form = FormFields(String(decoding: request.body, as: UTF8.self), plusIsSpace: true)
        let session = try signer(of: request, trace: &trace)
        if let name = form.repeatedName {
            throw STSError(
                status: 404, code: "MalformedQueryString", message: "The parameter '\(name)' stands twice")
        }
        guard form["Action"] == "GetCallerIdentity" else {
            throw STSError(
                status: 400, code: "InvalidAction",
                message: "Could not find operation \(form["Action"] ?? "") for version \(form["Version"] ?? "")")
        }
        return """
            <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <GetCallerIdentityResult>
                <Arn>\(XMLText.escape(session.grant.assumedRoleARN))</Arn>
                <UserId>\(XMLText.escape(session.grant.assumedRoleID))</UserId>
                <Account>\(XMLText.escape(session.grant.role.account))</Account>
              </GetCallerIdentityResult>
              <ResponseMetadata>
                <RequestId>\(UUIDText.random())</RequestId>
              </ResponseMetadata>
            </GetCallerIdentityResponse>

            """
    }

    private func signer(of request: ReceivedRequest, trace: inout Trace) throws(STSError) -> IssuedSession {
        guard let text = request.value(of: "authorization") else { throw .missingAuthentication }
        let authorization: AuthorizationHeader
        do {
            authorization = try AuthorizationHeader(text)
        } catch {
            throw .incompleteSignature("Authorization header is malformed: \(error.reason).")
        }
        guard authorization.algorithm == "AWS4-HMAC-SHA256" else {
            throw .incompleteSignature("Unsupported AWS 'algorithm': '\(authorization.algorithm)'.")
        }
        guard let session = sessions[authorization.credentialID],
            request.value(of: "x-amz-security-token") == session.sessionToken
        else { throw .invalidToken }
        if now >= session.grant.expiration { throw .expiredToken }

        let date = try date(of: request, authorization.scope)
        for name in ["host", "x-amz-date", "x-amz-security-token"] where !authorization.signedHeaders.contains(name) {
            throw .signatureDoesNotMatch("'\(name)' must be a 'SignedHeader' in the AWS Authorization.")
        }
        let canonical: CanonicalRequest
        do {
            canonical = try CanonicalRequest(
                request, signedHeaders: authorization.signedHeaders, equalsSigns: .once)
        } catch {
            throw .signatureDoesNotMatch("'\(error.name)' is signed and did not arrive exactly once.")
        }
        trace.note(canonical)
        let stringToSign = canonical.stringToSign(
            algorithm: authorization.algorithm, date: date, scope: authorization.scope.text)
        trace.stringToSign = stringToSign
        let expected = Self.signature(of: stringToSign, secret: session.secretAccessKey, scope: authorization.scope)
        guard Digest.areEqual(expected, authorization.signature) else {
            throw .signatureDoesNotMatch(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                    + "Access Key and signing method. Consult the service documentation for details.")
        }
        return session
    }

    private func date(of request: ReceivedRequest, _ scope: CredentialScope) throws(STSError) -> String {
        guard let text = request.value(of: "x-amz-date"), let date = UTCTime(basic: text) else {
            throw .incompleteSignature("Date must be in ISO-8601 'basic format'.")
        }
        guard scope.date == text.prefix(8) else {
            throw .signatureDoesNotMatch(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                    + "'\(scope.date)' != '\(text.prefix(8))', from '\(text)'.")
        }
        guard scope.service == "sts" else {
            throw .signatureDoesNotMatch("Credential should be scoped to correct service: 'sts'.")
        }
        guard scope.terminator == "aws4_request" else {
            throw .signatureDoesNotMatch(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '\(scope.terminator)'.")
        }
        let earliest = now.advanced(by: -Self.skewSeconds)
        if date < earliest {
            throw .signatureDoesNotMatch(
                "Signature expired: \(text) is now earlier than \(earliest.basic) (\(now.basic) - 15 min.)")
        }
        let latest = now.advanced(by: Self.skewSeconds)
        if date > latest {
            throw .signatureDoesNotMatch(
                "Signature not yet current: \(text) is still later than \(latest.basic) (\(now.basic) + 15 min.)")
        }
        return text
    }

    /// Steps 3 and 4: the key is derived through the scope, then signs.
    static func signature(of stringToSign: String, secret: String, scope: CredentialScope) -> [UInt8] {
        let key = [scope.date, scope.region, scope.service, scope.terminator]
            .reduce(Array("AWS4\(secret)".utf8)) { Digest.hmac(key: $0, Array($1.utf8)) }
        return Digest.hmac(key: key, Array(stringToSign.utf8))
    }
}

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

    static func signatureDoesNotMatch(_ message: String) -> STSError {
        STSError(status: 403, code: "SignatureDoesNotMatch", message: message)
    }

    var xml: String {
        """
        <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
          <Error>
            <Type>Sender</Type>
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
