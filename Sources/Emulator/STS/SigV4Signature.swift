/// Who has signed a request to STS.
///
/// Source: IAM user guide, "Create a signed AWS API request".
struct SigV4Signature {
    let callers: Callers
    /// Nil: any.
    let regions: [String]?
    let now: UTCTime

    /// STS says in its errors that it allows fifteen minutes.
    private static let skewSeconds = 900

    func caller(of request: ReceivedRequest, trace: inout Trace) throws(STSError) -> Caller {
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
        // A token is good with its own key alone.
        let tokens = request.values(of: "x-amz-security-token")
        guard let caller = callers[authorization.credentialID],
            tokens == (caller.sessionToken.map { [$0] } ?? [])
        else { throw .invalidToken }
        if let expiration = caller.expiration, now >= expiration { throw .expiredToken }

        let date = try date(of: request, authorization.scope)
        let names = ["host", "x-amz-date"] + (tokens.isEmpty ? [] : ["x-amz-security-token"])
        for name in names where !authorization.signedHeaders.contains(name) {
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
        let expected = Self.signature(of: stringToSign, secret: caller.secretAccessKey, scope: authorization.scope)
        guard Digest.areEqual(expected, authorization.signature) else {
            throw .signatureDoesNotMatch(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                    + "Access Key and signing method. Consult the service documentation for details.")
        }
        return caller
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
        guard regions?.contains(scope.region) != false else {
            throw .signatureDoesNotMatch("Credential should be scoped to a valid region.")
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
