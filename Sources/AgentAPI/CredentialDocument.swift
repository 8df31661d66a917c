import UTCTime

/// The JSON that a `credential_process` prints, and the body of an answer with credentials.
///
/// Source: AWS SDKs and Tools Reference Guide, "Process credential provider"; `AccountId` as botocore reads it.
package enum CredentialDocument {
    /// - Parameter expiration: Seconds since 1970.
    /// - Returns: One JSON object, without a line end.
    package static func render(
        accessKeyID: String, secretAccessKey: String, sessionToken: String, expiration: Int64, accountID: String
    ) -> [UInt8] {
        JSONText.object([
            ("Version", .integer(1)),
            ("AccessKeyId", .string(accessKeyID)),
            ("SecretAccessKey", .string(secretAccessKey)),
            ("SessionToken", .string(sessionToken)),
            ("Expiration", .string(UTCTime(secondsSince1970: expiration).description)),
            ("AccountId", .string(accountID)),
        ])
    }
}
