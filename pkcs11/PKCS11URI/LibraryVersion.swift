import Encodings

/// The version of a module: `libraryVersion` of CK_INFO (PKCS#11 2.40 §3.1).
package struct LibraryVersion: Hashable, Sendable, CustomStringConvertible {
    package var major: UInt8
    package var minor: UInt8

    package init(major: UInt8, minor: UInt8) {
        self.major = major
        self.minor = minor
    }

    package var description: String { "\(major).\(minor)" }

    /// Reads `MAJOR` or `MAJOR.MINOR`; a missing minor number is 0 (RFC 7512 §2.3).
    ///
    /// - Returns: nil where a number is missing, is not decimal or is above 254. p11-kit keeps 255 for "any version".
    package init?(decimal text: ArraySlice<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt64(decimal: $0, upTo: 254) }
        guard let major = numbers.first, numbers.count == parts.count else { return nil }
        self.init(major: UInt8(major), minor: numbers.count == 2 ? UInt8(numbers[1]) : 0)
    }
}

extension UInt64 {
    /// Reads ASCII digits and nothing else; nil where there is none or the number is above `limit`.
    init?(decimal text: ArraySlice<UInt8>, upTo limit: UInt64) {
        guard !text.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard let digit = byte.decimalDigit else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry, sum <= limit else { return nil }
            value = sum
        }
        self = value
    }
}
