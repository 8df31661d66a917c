package import AWSNames
package import SigV4

/// A GetSessionToken request (STS API reference): a session of an IAM user, which one MFA code opens for all roles.
package struct GetSessionTokenRequest: Hashable, Sendable {
    package let durationSeconds: Int
    /// The account of the user, which the answer does not tell; nil where it is not known.
    package let accountID: String?
    package let service: STSService

    /// - Parameter durationSeconds: 900 to 129,600.
    /// - Throws: `RequestFault` for another duration, or an account that has not twelve digits.
    package init(durationSeconds: Int = 43_200, accountID: String?, service: STSService) throws(RequestFault) {
        guard (900...129_600).contains(durationSeconds) else {
            throw RequestFault(message: "session-duration-seconds \(durationSeconds): give 900 to 129600")
        }
        if let accountID, !ARN.isAccount(accountID) {
            throw RequestFault(message: "account \(accountID.inQuotes) has not twelve digits")
        }
        self.durationSeconds = durationSeconds
        self.accountID = accountID
        self.service = service
    }

    /// The request, to be signed by the user's access key.
    package func unsigned(mfa: MFAProof? = nil) -> UnsignedRequest {
        service.request([("Action", "GetSessionToken"), ("DurationSeconds", "\(durationSeconds)")], mfa: mfa)
    }
}
