/// A line of a runtime file: byte strings in hexadecimal, one space between two of them.
struct HexadecimalLine: Hashable {
    var fields: [[UInt8]]

    init(_ fields: [[UInt8]]) { self.fields = fields }

    /// - Parameter line: Without its end.
    init?(_ line: some Sequence<UInt8>) {
        fields = []
        for field in Array(line).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false) {
            guard let bytes = Self.bytes(ofDigits: field) else { return nil }
            fields.append(bytes)
        }
    }

    /// With its end.
    var bytes: [UInt8] {
        let texts = fields.map { field in
            field.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return Array(texts.joined(separator: " ").utf8) + [UInt8(ascii: "\n")]
    }

    private static func bytes(ofDigits digits: ArraySlice<UInt8>) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            guard let value = Character(UnicodeScalar(digit)).hexDigitValue.map(UInt8.init) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}
