import Synchronization
import TokenService

/// Whether a login or a signature may still be sent to its worker. A lock revokes it: a call that waits for its turn, or for
/// a worker to start, must not reach the token after the lock has been answered.
final class CallPermit: Sendable {
    private let state = Mutex(false)

    var isRevoked: Bool { state.withLock(\.self) }

    func revoke() { state.withLock { $0 = true } }
}

/// The permits of the calls under way.
struct CallPermits: Sendable {
    private var permits: [UInt64: (key: TokenKey, permit: CallPermit)] = [:]

    /// - Parameter call: Ends with `end`.
    mutating func issue(_ call: UInt64, for key: TokenKey) -> CallPermit {
        let permit = CallPermit()
        permits[call] = (key, permit)
        return permit
    }

    mutating func end(_ call: UInt64) { permits[call] = nil }

    func revoke(where isLocked: (TokenKey) -> Bool) {
        for (key, permit) in permits.values where isLocked(key) { permit.revoke() }
    }
}
