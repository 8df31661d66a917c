import Glibc
import Synchronization

/// A session as it is handed out: rendered once, shared by all who get it, wiped when the last of them lets go.
package final class CachedCredentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Not a secret: it names the session in the audit log.
    package let accessKeyID: String
    /// Seconds since 1970-01-01T00:00:00Z.
    package let expiration: Int64
    private let bytes: Mutex<[UInt8]>

    init(body: [UInt8], accessKeyID: String, expiration: Int64) {
        self.accessKeyID = accessKeyID
        self.expiration = expiration
        bytes = Mutex(body)
    }

    /// The rendered credentials, secret. Not a copy: hold it no longer than it takes to send it.
    package var body: [UInt8] { bytes.withLock { $0 } }

    deinit {
        bytes.withLock { bytes in
            unsafe bytes.withUnsafeMutableBytes { buffer in
                guard let start = buffer.baseAddress else { return }
                unsafe explicit_bzero(start, buffer.count)
            }
        }
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
}

extension CachedCredentials: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: []) }
}
