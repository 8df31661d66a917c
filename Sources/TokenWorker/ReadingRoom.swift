import PKCS11
import TokenService

/// What one answer may tell of objects: half of the longest frame, because a frame that is too long would be the end of
/// the worker, and of every token of the module. And whether to go on with it.
struct ReadingRoom {
    private static let limit = FrameHeader.longestBody / 2
    /// What an object without any value takes, and more.
    private static let object = 64

    private var used = 0
    private let mustStop: @Sendable () -> Bool

    /// - Parameter mustStop: Asked at each object: a token may have thousands.
    init(mustStop: @escaping @Sendable () -> Bool = { false }) { self.mustStop = mustStop }

    /// - Throws: `.overLimit` where no more can be told; `.interrupted`.
    mutating func take(_ values: [UInt8]...) throws(PKCS11Error) {
        guard !mustStop() else { throw .interrupted }
        used += Self.object + values.reduce(0) { $0 + $1.count }
        guard used <= Self.limit else {
            throw .overLimit(what: "a size of objects in bytes", value: UInt(used), limit: Self.limit)
        }
    }
}

extension PublicHalf {
    /// What it takes in an answer.
    var values: [UInt8] {
        switch self {
        case .rsa(let modulus, let exponent): modulus + exponent
        case .ec(let parameters, let point): parameters + point
        case .other: []
        }
    }
}
