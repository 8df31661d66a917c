import JSON
import LockedMemory

/// A part of a session's credentials, under the names that AWS' programs have for it.
///
/// Source: AWS SDKs and Tools Reference Guide, "Settings reference"; `AWS_CREDENTIAL_EXPIRATION` and the account as botocore
/// reads them.
package struct CredentialSetting: Sendable {
    /// In the answer of the agent.
    let member: StaticString
    /// In the environment of a process.
    package let variable: StaticString
    /// In `~/.aws/credentials`.
    package let key: StaticString

    /// All of them, in the order in which they are written.
    package static let all = [
        CredentialSetting(member: "AccessKeyId", variable: "AWS_ACCESS_KEY_ID", key: "aws_access_key_id"),
        CredentialSetting(
            member: "SecretAccessKey", variable: "AWS_SECRET_ACCESS_KEY", key: "aws_secret_access_key"),
        CredentialSetting(member: "SessionToken", variable: "AWS_SESSION_TOKEN", key: "aws_session_token"),
        CredentialSetting(
            member: "Expiration", variable: "AWS_CREDENTIAL_EXPIRATION", key: "aws_credential_expiration"),
        CredentialSetting(member: "AccountId", variable: "AWS_ACCOUNT_ID", key: "aws_account_id"),
    ]

    /// Gives each byte of the value, its escapes resolved, to `take`.
    ///
    /// - Parameter members: Those of the `body`, which `CredentialAnswer` has checked.
    /// - Returns: Whether the answer has this part.
    /// - Throws: Exit code 70 for a byte that no credential of AWS has. A line end would start a line of its own.
    func bytes(
        of members: JSONMembers, in body: Span<UInt8>, _ take: (UInt8) throws(ClientFailure) -> Void
    ) throws(ClientFailure) -> Bool {
        guard case .string(let range)? = members.value(member, in: body), !range.isEmpty else { return false }
        var value = JSONString(range)
        while let byte = value.next(in: body) {
            guard (0x21...0x7E).contains(byte) else {
                throw .badAnswer("credentials with a character that AWS never uses")
            }
            try take(byte)
        }
        return true
    }
}

extension SecretBuffer {
    /// - Throws: Exit code 70 when it does not fit.
    mutating func append(_ byte: UInt8) throws(ClientFailure) {
        let isRoom = count < capacity
        guard isRoom else { throw .badAnswer("credentials that are too long") }
        _ = unsafe append { room in
            unsafe room[0] = byte
            return 1
        }
    }

    mutating func append(_ text: StaticString) throws(ClientFailure) {
        for index in 0..<text.utf8CodeUnitCount { try append(unsafe text.utf8Start[index]) }
    }
}
