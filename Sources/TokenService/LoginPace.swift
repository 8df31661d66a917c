package import PKCS11URI

/// When each token may be sent another PIN: soon after one that it has taken, and after those that it has not, one after
/// another, in 2, 4, 8 and then always 10 seconds. A program that guesses is slow, and a person sees what it does.
package struct LoginPace: Sendable {
    private struct Last: Sendable {
        var time: Int64
        /// How many PINs in a row the token has not taken.
        var misses = 0

        /// In milliseconds.
        var rest: Int64 { misses == 0 ? 100 : min(10_000, 1000 << min(misses, 4)) }
    }

    private var last: [TokenDescription: Last] = [:]

    package init() {}

    /// The token was sent a PIN.
    ///
    /// - Parameters:
    ///   - isTaken: It was right. What is not known counts as wrong.
    ///   - now: Milliseconds of a clock that only goes on.
    package mutating func note(_ token: TokenDescription, isTaken: Bool, at now: Int64) {
        last[token] = Last(time: now, misses: isTaken ? 0 : (last[token]?.misses ?? 0) + 1)
    }

    /// How many milliseconds the token is not to be sent a PIN yet.
    package func rest(for token: TokenDescription, at now: Int64) -> Int64 {
        last[token].map { max(0, $0.time + $0.rest - now) } ?? 0
    }
}
