import Encodings

/// What a loopback endpoint's client shows to prove that it may read the endpoint's token file. It prints as `‹redacted›`.
package struct BearerToken: Equatable, Sendable {
    private let bytes: [UInt8]

    /// What a token that the agent makes begins with, so that a file with another program's key is not taken for one.
    private static let mark = Array("tokenward-".utf8)
    /// Of such a token, in bytes: behind the mark are 256 random bits in hexadecimal digits. Every header field takes them.
    static let length = mark.count + 64

    /// What a request holds, whatever it is.
    init(presented bytes: [UInt8]) { self.bytes = bytes }

    static func random() -> BearerToken {
        var generator = SystemRandomNumberGenerator()  // getrandom(2)
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return BearerToken(presented: mark + Array(Hexadecimal.encode(bytes).utf8))
    }

    /// The content of a token file; nil where it is no token.
    init?(content: [UInt8]) {
        guard content.count == Self.length, content.starts(with: Self.mark),
            content.dropFirst(Self.mark.count).allSatisfy({ $0.hexadecimalDigit != nil })
        else { return nil }
        bytes = content
    }

    /// For the token file, and for tests.
    package var content: [UInt8] { bytes }

    /// Takes as long wherever the first difference is; how long a token is, is no secret.
    package static func == (one: BearerToken, other: BearerToken) -> Bool {
        guard one.bytes.count == other.bytes.count else { return false }
        return zip(one.bytes, other.bytes).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension BearerToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The token of an endpoint, and the one before, which is good until the next one is made.
///
/// A token lasts as long as the longest session that AWS grants, and is good for as long again: a client that has read it
/// once, with its first credentials, can refresh those whenever they end. SDKs read the file at each refresh.
struct TokenPair: Sendable {
    /// In milliseconds: 12 hours.
    static let lifetime: Int64 = 43_200_000

    private(set) var current: BearerToken
    private var previous: BearerToken?
    /// On its way into the file.
    private var next: BearerToken?
    /// Boot time in milliseconds.
    private var made: Int64

    init(_ token: BearerToken, at boot: Int64) {
        current = token
        made = boot
    }

    func isDue(at boot: Int64) -> Bool { boot - made >= Self.lifetime }

    /// Accepts the token too that is about to be in the file.
    mutating func prepare(_ token: BearerToken) { next = token }

    /// Call it when the new token is in the file.
    ///
    /// - Parameter keepsPrevious: Whether the one that was in the file stays good.
    mutating func rotate(to token: BearerToken, keepsPrevious: Bool = true, at boot: Int64) {
        next = nil
        previous = keepsPrevious ? current : nil
        current = token
        made = boot
    }

    func accepts(_ presented: BearerToken) -> Bool {
        // All are compared in any case.
        [current, previous, next].map { $0 == presented }.contains(true)
    }
}
