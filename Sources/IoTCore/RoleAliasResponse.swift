import JSON
package import ServiceAnswers

/// Reads the credential provider's answer, and believes nothing of it that is not as AWS gives it.
package enum RoleAliasResponse {
    /// The longest life that a role alias gives, in seconds (IoT API reference, CreateRoleAlias).
    private static let longestSeconds = 43_200

    /// - Throws: `RoleAliasError` for a refusal, and for credentials that are incomplete, of another shape than AWS gives
    ///   them, expired, or good for longer than any role alias allows.
    package static func parse(_ answer: ServiceAnswer) throws(RoleAliasError) -> SessionCredentials {
        guard answer.status == 200 else { throw answer.refusal }
        guard answer.declaresJSON else { throw answer.error(.notJSON) }
        guard let json = answer.json else { throw answer.error(.malformed(field: "the JSON text")) }
        let credentials = json["credentials"]
        let issued = IssuedCredentials(
            accessKeyID: credentials?["accessKeyId"]?.text, secretAccessKey: credentials?["secretAccessKey"]?.text,
            sessionToken: credentials?["sessionToken"]?.text, expiration: credentials?["expiration"]?.text)
        do throws(IssuedCredentials.Fault) {
            // The answer names neither the role nor its account.
            return try issued.checked(
                durationSeconds: longestSeconds, receivedAt: answer.receivedAt, accountID: nil)
        } catch {
            switch error {
            case .expired: throw answer.error(.expiredAnswer)
            case .malformed(let member): throw answer.error(.malformed(field: "credentials.\(member)"))
            }
        }
    }
}
