package import PKCS11URI
package import STS

/// An IAM user's access key, whose secret a token holds.
package struct TokenAccessKey: Hashable, Sendable {
    /// Such as `AKIA…`; no secret.
    package let id: String
    /// The secret key (CKO_SECRET_KEY) whose value is `AWS4` and the secret.
    package let secretKey: PKCS11URI
    /// Asks for the session that the profile serves.
    package let request: GetSessionTokenRequest
    /// The user's device, where each session takes a code of it.
    package let mfa: MFADevice?
}

/// An MFA device of an IAM user.
package struct MFADevice: Hashable, Sendable {
    /// Its ARN, or the number printed on it.
    package let serial: String
    /// The program that gives a code, with its arguments; empty: a person is asked.
    package let program: [String]
}
