import AWSNames
import JSON
package import ServiceAnswers

/// Reads the answer to CreateSession, and believes nothing of it that does not fit the request.
package enum CreateSessionResponse {
    /// - Throws: A refusal; or that credentials are incomplete, of another shape than AWS gives them, for another role,
    ///   expired, or good for longer than was asked for.
    package static func parse(
        _ answer: ServiceAnswer, to request: CreateSessionRequest
    ) throws(CreateSessionError) -> SessionCredentials {
        let reading = CreateSessionReading(answer, of: "CreateSession")
        guard (200..<300).contains(answer.status) else { throw reading.refusal }
        guard case .array(let sets)? = try reading.json()["credentialSet"], sets.count == 1 else {
            throw reading.error(.malformed(field: "credentialSet"))
        }
        let role = request.scope.roleARN
        try checkRole(sets[0], is: role, reading)
        return try reading.credentials(
            in: sets[0]["credentials"], durationSeconds: request.options.durationSeconds, accountID: role.account)
    }

    /// The set's role must be the one asked for, and so must the assumed one where it is told.
    private static func checkRole(
        _ set: JSONValue, is role: ARN, _ reading: CreateSessionReading
    ) throws(CreateSessionError) {
        guard let text = set["roleArn"]?.text else { throw reading.error(.malformed(field: "roleArn")) }
        guard text == role.description else { throw reading.error(.wrongRole) }
        if let assumedText = set["assumedRoleUser"]?["arn"] {
            guard let assumed = assumedText.text.flatMap({ try? ARN($0) }) else {  // whatever it is, it is no ARN
                throw reading.error(.malformed(field: "assumedRoleUser.arn"))
            }
            guard assumed.isSession(of: role) else { throw reading.error(.wrongRole) }
        }
    }
}
