import JSON
import UTCTime

/// The JSON that a `credential_process` prints, and the bodies of answers with credentials.
///
/// Source: AWS SDKs and Tools Reference Guide, "Process credential provider"; `AccountId` as botocore reads it.
package enum CredentialDocument {
    /// - Parameters:
    ///   - expiration: Seconds since 1970.
    ///   - accountID: Left out where it is nil: SDKs then do without account-based endpoints.
    /// - Returns: One JSON object, without a line end.
    package static func render(
        accessKeyID: String, secretAccessKey: String, sessionToken: String, expiration: Int64, accountID: String?
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 2048)
        writer.beginObject()
        writer.name("Version")
        writer.integer(1)
        writer.member("AccessKeyId", accessKeyID)
        writer.member("SecretAccessKey", secretAccessKey)
        writer.member("SessionToken", sessionToken)
        writer.member("Expiration", UTCTime(secondsSince1970: expiration).description)
        if let accountID { writer.member("AccountId", accountID) }
        writer.endObject()
        return writer.finish()
    }

    /// The secret parts of what `render` has made, so that they need not be kept twice; empty for any other text. They are
    /// ordinary memory: hold them no longer than it takes to use them.
    package static func secrets(of rendered: [UInt8]) -> (secretAccessKey: String, sessionToken: String) {
        let bytes = rendered.span
        let members = try? JSONMembers(bytes)  // another text has no members
        return (
            members?.text("SecretAccessKey", in: bytes) ?? "", members?.text("SessionToken", in: bytes) ?? ""
        )
    }

    /// The same as SDKs read it from an endpoint for containers.
    ///
    /// Source: Amazon ECS Developer Guide, "Task IAM role"; `AccountId` as botocore and EKS Pod Identity have it.
    package static func renderForEndpoint(
        accessKeyID: String, secretAccessKey: String, sessionToken: String, expiration: Int64, accountID: String?
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 2048)
        writer.beginObject()
        writer.member("AccessKeyId", accessKeyID)
        writer.member("SecretAccessKey", secretAccessKey)
        writer.member("Token", sessionToken)
        writer.member("Expiration", UTCTime(secondsSince1970: expiration).description)
        if let accountID { writer.member("AccountId", accountID) }
        writer.endObject()
        return writer.finish()
    }
}
