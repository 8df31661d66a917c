import Files
import TokenService

/// Which file a stored PIN came from, and in which state: another state may hold another PIN.
struct StoredPINStamp: Hashable, Sendable {
    private let path: String
    private let stamp: FileStamp

    /// - Returns: Nil where the PIN is in no file, or the file cannot be looked at: no PIN is known then.
    init?(_ source: LoginRequest.Source) {
        guard let path = source.file, let stamp = FileStamp(path) else { return nil }
        self.path = path
        self.stamp = stamp
    }
}
