import Glibc
import PKCS11URI

/// When each token was last sent a PIN: not more often than every two seconds, whoever asks and whoever types.
struct LoginPace {
    private static let interval = Duration.seconds(2)
    private var last: [TokenDescription: ContinuousClock.Instant] = [:]

    mutating func note(_ token: TokenDescription) { last[token] = .now }

    /// Waits until the token may be sent a PIN.
    ///
    /// - Returns: Whether that took any time, in which the token may have changed.
    func wait(for token: TokenDescription) -> Bool {
        guard let last = last[token] else { return false }
        let rest = Self.interval - (ContinuousClock.now - last)
        guard rest > .zero else { return false }
        usleep(useconds_t(rest / .microseconds(1)))
        return true
    }
}
