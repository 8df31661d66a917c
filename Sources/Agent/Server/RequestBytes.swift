import Encodings

extension UInt8 {
    /// The unreserved characters of RFC 3986 §2.3, and the slash: no path here needs another, escaped or not.
    var isPathCharacter: Bool { isUnreserved || self == UInt8(ascii: "/") }
}

extension Span<UInt8> {
    /// The bytes as text; those that are no UTF-8 become U+FFFD.
    var text: String {
        unsafe withUnsafeBufferPointer { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }

    func firstIndex(of byte: UInt8) -> Int? {
        indices.first { self[$0] == byte }
    }

    func allSatisfy(_ predicate: (UInt8) -> Bool) -> Bool {
        indices.allSatisfy { predicate(self[$0]) }
    }

    /// `range` without the optional white space of RFC 9110 §5.6.3 at both ends.
    func trimming(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start] == UInt8(ascii: " ") || self[start] == UInt8(ascii: "\t") { start += 1 }
        while start < end, self[end - 1] == UInt8(ascii: " ") || self[end - 1] == UInt8(ascii: "\t") { end -= 1 }
        return start..<end
    }
}
