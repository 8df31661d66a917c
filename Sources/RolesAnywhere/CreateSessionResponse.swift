import Encodings
import JSON
import UTCTime

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
        func field(
            _ name: String, _ length: ClosedRange<Int>, _ isAllowed: (UInt8) -> Bool
        ) throws(ServiceError) -> String {
            guard let text = credentials?[name]?.text, length.contains(text.utf8.count),
                text.utf8.allSatisfy(isAllowed)
            else { throw answer.error(.malformed(field: "credentials.\(name)")) }
            return text
        }
        let expiration = try field("expiration", 20...40, \.isVisible)
        return SessionCredentials(
            accessKeyID: try field("accessKeyId", 16...128) { $0.isUppercase || $0.isDigit },
            secretAccessKey: try field("secretAccessKey", 16...256, \.isVisible),
            sessionToken: try field("sessionToken", 1...16_384, \.isVisible),
            expiration: try checkedExpiration(expiration, answer, request.options.durationSeconds),
            accountID: role.account)
    }

    private static func checkedExpiration(
        _ text: String, _ answer: ServiceAnswer, _ durationSeconds: Int
    ) throws(ServiceError) -> Int64 {
        guard let expiration = UTCTime(rfc3339: text)?.secondsSince1970 else {
            throw answer.error(.malformed(field: "credentials.expiration"))
        }
        let (left, overflow) = expiration.subtractingReportingOverflow(answer.receivedAt)
        guard !overflow, left <= Int64(durationSeconds) + 600 else {
            throw answer.error(.malformed(field: "credentials.expiration, later than asked for"))
        }
        guard left > 60 else { throw answer.error(.expiredAnswer) }
        return expiration
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
            guard isSession(assumed, of: role) else { throw answer.error(.wrongRole) }
        }
    }

    /// `assumed-role/NAME/SESSION`; the role's path is not part of it.
    private static func isSession(_ assumed: ARN, of role: ARN) -> Bool {
        let parts = assumed.resource.split(separator: "/", omittingEmptySubsequences: false)
        return assumed.service == "sts" && assumed.partition == role.partition && assumed.account == role.account
            && parts.count == 3 && parts[0] == "assumed-role"
            && parts[1] == role.resource.split(separator: "/").last
    }
}

/// Temporary AWS credentials, as CreateSession returns them. They print as `‹redacted›`.
package struct SessionCredentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let accessKeyID: String
    package let secretAccessKey: String
    package let sessionToken: String
    /// Seconds since 1970-01-01T00:00:00Z.
    package let expiration: Int64
    /// The twelve digits of the account that the role belongs to.
    package let accountID: String

    package init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String, expiration: Int64, accountID: String
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
        self.accountID = accountID
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
}

extension SessionCredentials: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: []) }
}
