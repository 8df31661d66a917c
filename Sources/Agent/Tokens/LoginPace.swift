import PKCS11URI

/// When each token was last sent a PIN: not more often than every two seconds, whichever module shows the token and
/// however often its worker has died. A worker has the same pace of its own.
struct LoginPace: Sendable {
    private static let interval: Int64 = 2000
    private var last: [TokenDescription: Int64] = [:]

    /// - Parameter now: Milliseconds of boot time.
    mutating func note(_ token: TokenDescription, at now: Int64) { last[token] = now }

    /// How many milliseconds the token is not to be sent a PIN yet.
    func rest(for token: TokenDescription, at now: Int64) -> Int64 {
        max(0, (last[token] ?? now - Self.interval) + Self.interval - now)
    }
}
