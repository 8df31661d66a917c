import Encodings
import UTCTime

/// Credentials as an answer brings them, not yet believed. They print as `‹redacted›`.
package struct IssuedCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package enum Fault: Error, Hashable, Sendable {
        /// A member is missing, or AWS gives none like it.
        case malformed(Member)
        /// They have expired, or have a minute or less to live.
        case expired
    }

    /// The raw value is the member's name in JSON services.
    package enum Member: String, Hashable, Sendable, CustomStringConvertible {
        case accessKeyID = "accessKeyId"
        case secretAccessKey, sessionToken, expiration
        /// The expiration is later than what was asked for.
        case lateExpiration = "expiration, later than asked for"

        package var description: String { rawValue }
    }

    private let accessKeyID: String?
    private let secretAccessKey: String?
    private let sessionToken: String?
    private let expiration: String?

    package init(accessKeyID: String?, secretAccessKey: String?, sessionToken: String?, expiration: String?) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The credentials, if they are whole, in date, and good for no longer than was asked for.
    ///
    /// - Parameters:
    ///   - durationSeconds: What was asked for. Ten minutes more are taken for a difference between two clocks.
    ///   - receivedAt: This machine's time in seconds since 1970 when they came.
    ///   - accountID: The twelve digits of the account that they belong to; nil where nothing tells.
    package func checked(
        durationSeconds: Int, receivedAt: Int64, accountID: String?
    ) throws(Fault) -> SessionCredentials {
        let expires = try Self.text(.expiration, expiration, 20...40, \.isVisible)
        return SessionCredentials(
            accessKeyID: try Self.text(.accessKeyID, accessKeyID, 16...128) { $0.isUppercase || $0.isDigit },
            secretAccessKey: try Self.text(.secretAccessKey, secretAccessKey, 16...256, \.isVisible),
            sessionToken: try Self.text(.sessionToken, sessionToken, 1...16_384, \.isVisible),
            expiration: try Self.expiration(expires, durationSeconds: durationSeconds, receivedAt: receivedAt),
            accountID: accountID)
    }

    private static func text(
        _ member: Member, _ text: String?, _ length: ClosedRange<Int>, _ isAllowed: (UInt8) -> Bool
    ) throws(Fault) -> String {
        guard let text, length.contains(text.utf8.count), text.utf8.allSatisfy(isAllowed) else {
            throw .malformed(member)
        }
        return text
    }

    private static func expiration(
        _ text: String, durationSeconds: Int, receivedAt: Int64
    ) throws(Fault) -> Int64 {
        guard let expiration = UTCTime(rfc3339: text)?.secondsSince1970 else { throw .malformed(.expiration) }
        let (left, overflow) = expiration.subtractingReportingOverflow(receivedAt)
        guard !overflow, left <= Int64(durationSeconds) + 600 else { throw .malformed(.lateExpiration) }
        guard left > 60 else { throw .expired }
        return expiration
    }
}
