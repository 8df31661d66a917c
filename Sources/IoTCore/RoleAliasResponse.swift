package import ServiceAnswers

/// Reads the credential provider's answer, and believes nothing of it that is not as AWS gives it.
package enum RoleAliasResponse {
    /// The longest life that a role alias gives, in seconds (IoT API reference, CreateRoleAlias).
    private static let longestSeconds = 43_200
    /// As a policy names it (IoT Core developer guide, "Authorizing direct calls to AWS services").
    private static let operation = "AssumeRoleWithCertificate"

    /// - Throws: A refusal; or that credentials are incomplete, of another shape than AWS gives them, expired, or good for
    ///   longer than any role alias allows.
    package static func parse(_ answer: ServiceAnswer) throws(RoleAliasError) -> SessionCredentials {
        let reading = ServiceReading<RoleAliasRefusal>(answer, of: operation)
        guard answer.status == 200 else { throw reading.error(kind(of: answer), message: answer.words) }
        // The answer names neither the role nor its account.
        return try reading.credentials(
            in: try reading.json()["credentials"], durationSeconds: longestSeconds, accountID: nil)
    }

    /// The error that an answer other than 200 stands for.
    private static func kind(of answer: ServiceAnswer) -> RoleAliasError.Kind {
        switch answer.status {
        case 300..<400: .redirect
        case 429: .throttled(retryAfterSeconds: answer.retryAfterSeconds)
        case 500...: .server(retryAfterSeconds: answer.retryAfterSeconds)
        case 401, 403: .refused(.accessDenied)
        case _ where answer.json == nil: .foreign
        case 400: .refused(.rejected)
        case 404: .refused(.notFound)
        default: .other
        }
    }
}
