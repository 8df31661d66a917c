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

    /// The text of another with `…` in the place of each run of 16 or more bytes that a secret part has too.
    func redact(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var isSecret = [Bool](repeating: false, count: bytes.count)
        for start in bytes.indices.dropLast(Self.leastRun - 1) {
            let run = bytes[start..<start + Self.leastRun]
            guard Self.does(secret, contain: run) || Self.does(token, contain: run) else { continue }
            isSecret.replaceSubrange(run.indices, with: repeatElement(true, count: Self.leastRun))
        }
        let kept = bytes.indices.flatMap { index in
            if !isSecret[index] { return [bytes[index]] }
            return index > 0 && isSecret[index - 1] ? [] : Array("…".utf8)
        }
        return String(decoding: kept, as: UTF8.self)
    }

    private static let leastRun = 16

    private static func does(_ secret: borrowing Mutex<[UInt8]>, contain run: ArraySlice<UInt8>) -> Bool {
        secret.withLock { bytes in
            bytes.indices.dropLast(run.count - 1).contains { start in
                bytes[start] == run.first && bytes[start..<start + run.count].elementsEqual(run)
            }
        }
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
