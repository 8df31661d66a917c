import AWSNames
import JSON
package import ServiceAnswers

/// Reads the answer to CreateSession, and believes nothing of it that does not fit the request.
package enum CreateSessionResponse {
    /// - Throws: `ServiceError` for a refusal, and for credentials that are incomplete, of another shape than AWS gives
    ///   them, for another role, expired, or good for longer than was asked for.
    package static func parse(
        _ answer: ServiceAnswer, to request: CreateSessionRequest
    ) throws(ServiceError) -> SessionCredentials {
        guard (200..<300).contains(answer.status) else { throw answer.refusal }
        guard answer.declaresJSON else { throw answer.error(.notJSON) }
        guard let json = answer.json else { throw answer.error(.malformed(field: "the JSON text")) }
        guard case .array(let sets)? = json["credentialSet"], sets.count == 1 else {
            throw answer.error(.malformed(field: "credentialSet"))
        }
        let role = request.scope.roleARN
        try checkRole(sets[0], is: role, answer)
        let credentials = sets[0]["credentials"]
        let issued = IssuedCredentials(
            accessKeyID: credentials?["accessKeyId"]?.text, secretAccessKey: credentials?["secretAccessKey"]?.text,
            sessionToken: credentials?["sessionToken"]?.text, expiration: credentials?["expiration"]?.text)
        do throws(IssuedCredentials.Fault) {
            return try issued.checked(
                durationSeconds: request.options.durationSeconds, receivedAt: answer.receivedAt,
                accountID: role.account)
        } catch {
            switch error {
            case .expired: throw answer.error(.expiredAnswer)
            case .malformed(let member): throw answer.error(.malformed(field: "credentials.\(member)"))
            }
        }
    }

    /// The set's role must be the one asked for, and so must the assumed one where it is told.
    private static func checkRole(
        _ set: JSONValue, is role: ARN, _ answer: ServiceAnswer
    ) throws(ServiceError) {
        guard let text = set["roleArn"]?.text else { throw answer.error(.malformed(field: "roleArn")) }
        guard text == role.description else { throw answer.error(.wrongRole) }
        if let assumedText = set["assumedRoleUser"]?["arn"] {
            guard let assumed = assumedText.text.flatMap({ try? ARN($0) }) else {  // whatever it is, it is no ARN
                throw answer.error(.malformed(field: "assumedRoleUser.arn"))
            }
            guard assumed.isSession(of: role) else { throw answer.error(.wrongRole) }
        }
    }
}
