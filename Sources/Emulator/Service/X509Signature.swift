/// The first half of CreateSession: which certificate's key should have signed this request, and whether it did.
///
/// Source: IAM Roles Anywhere user guide, "signing process". The order of the checks is not documented; here
/// the cheap checks come first: format, date, certificate, algorithm, signature.
struct X509Signature {
    let leaf: ReceivedCertificate
    /// From `X-Amz-X509-Chain`, in the order sent.
    let chain: [ReceivedCertificate]

    static let maximumChain = 5

    init(_ request: ReceivedRequest, region: String, skewSeconds: Int, at now: UTCTime, trace: inout Trace)
        throws(Refusal)
    {
        trace.postEmptyBody = request.body.isEmpty
        let authorization = try Self.authorization(of: request)
        let date = try Self.date(of: request, authorization.scope, skewSeconds: skewSeconds, at: now)
        try Self.check(authorization.scope, region: region)
        let unsigned = Self.unsignedHeaders(of: request, signed: authorization.signedHeaders)
        trace.missingSignedHeaders = unsigned
        if let name = unsigned.first { throw .denied("The header '\(name)' must be signed") }

        guard let encoded = request.value(of: "x-amz-x509"), let der = Base64.decode(encoded),
            let leaf = ReceivedCertificate(der: der)
        else { throw .denied("The X-Amz-X509 header does not hold one certificate in base64 DER") }
        self.leaf = leaf
        guard authorization.credentialID == leaf.decimalSerial else {
            throw .denied("Credential does not name the certificate's serial number in decimal")
        }
        guard let algorithm = leaf.keyKind.algorithm else {
            throw .denied("The certificate's key type is not one that this emulator can verify")
        }
        trace.algorithmMismatch = algorithm != authorization.algorithm
        guard algorithm == authorization.algorithm else {
            throw .denied("The signing algorithm does not fit the certificate's key")
        }

        let canonical: CanonicalRequest
        do {
            canonical = try CanonicalRequest(
                request, signedHeaders: authorization.signedHeaders, equalsSigns: .twice)
        } catch {
            throw .denied("The signed header '\(error.name)' must arrive exactly once")
        }
        let stringToSign = canonical.stringToSign(
            algorithm: authorization.algorithm, date: date, scope: authorization.scope.text)
        trace.note(canonical)
        trace.stringToSign = stringToSign
        guard leaf.verifies(authorization.signature, of: Array(stringToSign.utf8)) else { throw .invalidSignature }

        chain = try Self.chain(request)
    }

    private static func authorization(of request: ReceivedRequest) throws(Refusal) -> AuthorizationHeader {
        guard let text = request.value(of: "authorization") else {
            throw .denied("The request needs exactly one Authorization header")
        }
        do {
            return try AuthorizationHeader(text)
        } catch {
            throw .denied("The Authorization header is malformed: \(error.reason)")
        }
    }

    private static func date(of request: ReceivedRequest, _ scope: CredentialScope, skewSeconds: Int, at now: UTCTime)
        throws(Refusal) -> String
    {
        guard let text = request.value(of: "x-amz-date"), let date = UTCTime(basic: text) else {
            throw .denied("The X-Amz-Date header must stand once, in the form 20231001T120000Z")
        }
        guard scope.date == text.prefix(8) else {
            throw .denied("The date of the credential scope is not that of X-Amz-Date")
        }
        if date < now.advanced(by: -skewSeconds) {
            throw .denied("Signature expired: \(text) is now earlier than \(now.advanced(by: -skewSeconds).basic)")
        }
        if date > now.advanced(by: skewSeconds) {
            throw .denied(
                "Signature not yet current: \(text) is still later than \(now.advanced(by: skewSeconds).basic)")
        }
        return text
    }

    private static func check(_ scope: CredentialScope, region: String) throws(Refusal) {
        if scope.region != region { throw .denied("Credential should be scoped to region '\(region)'") }
        if scope.service != "rolesanywhere" { throw .denied("Credential should be scoped to service 'rolesanywhere'") }
        if scope.terminator != "aws4_request" { throw .denied("Credential should be scoped with 'aws4_request'") }
    }

    /// The headers that must be signed and are not: host, date and certificate, and where they were sent the content type
    /// and every further `x-amz-` header ("Create a signed AWS API request", step 1).
    private static func unsignedHeaders(of request: ReceivedRequest, signed: [String]) -> [String] {
        let sent = request.headers.map { $0.name.lowercased() }.filter {
            $0 == "content-type" || $0.hasPrefix("x-amz-")
        }
        return Set(["host", "x-amz-date", "x-amz-x509"] + sent).subtracting(signed).sorted()
    }

    private static func chain(_ request: ReceivedRequest) throws(Refusal) -> [ReceivedCertificate] {
        guard let text = request.value(of: "x-amz-x509-chain") else { return [] }
        let elements = text.split(separator: ",", omittingEmptySubsequences: false)
        guard elements.count <= maximumChain else {
            throw .invalid(String(elements.count), at: "x509Chain", "have length less than or equal to \(maximumChain)")
        }
        var chain: [ReceivedCertificate] = []
        for element in elements {
            guard let der = Base64.decode(element), let certificate = ReceivedCertificate(der: der) else {
                throw .denied("The X-Amz-X509-Chain header does not hold certificates in base64 DER, joined by commas")
            }
            chain.append(certificate)
        }
        return chain
    }
}

extension ReceivedCertificate.KeyKind {
    /// The algorithm of the signatures that keys of this kind make; nil where this emulator knows none.
    fileprivate var algorithm: String? {
        switch self {
        case .rsa: "AWS4-X509-RSA-SHA256"
        case .ec: "AWS4-X509-ECDSA-SHA256"
        case .other: nil
        }
    }
}
