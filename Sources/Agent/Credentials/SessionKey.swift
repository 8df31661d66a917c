import Glibc
import ServiceAnswers
package import SigV4
import Synchronization

/// The secret parts of a session, for what is signed with it: the next hop of a chain. Wiped with the last
/// reference; it prints as `‹redacted›`.
package final class SessionKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let id: String
    private let secret: Mutex<[UInt8]>
    private let token: Mutex<[UInt8]>

    init(_ session: SessionCredentials) {
        id = session.accessKeyID
        secret = Mutex(Array(session.secretAccessKey.utf8))
        token = Mutex(Array(session.sessionToken.utf8))
    }

    /// The key that signs, secret. Hold it no longer than it takes to sign.
    package var accessKey: AccessKey {
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        return AccessKey(
            id: id, secret: secret.withLock { text($0) }, sessionToken: token.withLock { text($0) })
    }

    /// The text of another without what it has of the secret parts.
    func redact(_ text: String) -> String {
        Redaction.redact(text, secrets: [secret.withLock(\.self), token.withLock(\.self)])
    }

    deinit {
        Self.wipe(secret)
        Self.wipe(token)
    }

    private static func wipe(_ secret: borrowing Mutex<[UInt8]>) {
        secret.withLock { bytes in
            unsafe bytes.withUnsafeMutableBytes { buffer in
                guard let start = buffer.baseAddress else { return }
                unsafe explicit_bzero(start, buffer.count)
            }
        }
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
