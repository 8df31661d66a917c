extension ServiceError {
    /// What to do about it, in one line.
    ///
    /// - Parameters:
    ///   - issuer: The issuer of the certificate that was sent, as text for people.
    ///   - chainCount: How many chain certificates were sent with it.
    package func hint(issuer: String, chainCount: Int) -> String? {
        switch kind {
        case .untrustedCertificate:
            let sent = chainCount == 0 ? "no" : "\(chainCount)"
            return "the certificate's issuer is \(issuer.inQuotes), sent with \(sent) chain "
                + "certificate\(chainCount == 1 ? "" : "s"): the trust anchor must be that issuer, or be reached "
                + "through intermediate certificates that the token or a configured file has"
        case .invalidSignature:
            return clockHint
                ?? "the signature was verified before it was sent and the clock agrees: "
                + "a proxy or gateway may have changed the request"
        case .roleSessionNameRefused:
            return "remove role-session-name, or let the Roles Anywhere profile accept it (acceptRoleSessionName)"
        case .accessDenied:
            return clockHint
                ?? "check that the profile lists the role, that the role's trust policy lets "
                + "rolesanywhere.amazonaws.com in with this certificate, and that the certificate is not revoked"
        case .validation: return clockHint ?? "check the profile's ARNs, duration and session name"
        case .notFound: return "check region and ARNs, and that trust anchor and profile are enabled"
        case .throttled: return "wait; the account's CreateSession quota is 10 a second"
        case .server: return "wait; the service is asked again by itself"
        case .notJSON, .redirect: return "a captive portal or a proxy may answer in the service's place; see endpoint"
        case .expiredAnswer: return clockHint ?? "compare this machine's clock with the service's"
        case .wrongRole, .malformed: return "check endpoint: something else than the service may answer there"
        case .other: return clockHint
        }
    }

    private var clockHint: String? {
        guard let clockSkew, clockSkew.isSignificant else { return nil }
        return "\(clockSkew.message) by the service's Date: set it (timedatectl, chronyc)"
    }
}
