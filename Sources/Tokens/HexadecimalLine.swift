import Encodings

/// A line of a runtime file: byte strings in hexadecimal, one space between two of them.
struct HexadecimalLine: Hashable {
    var fields: [[UInt8]]

    init(_ fields: [[UInt8]]) { self.fields = fields }

    /// - Parameter line: Without its end.
    init?(_ line: some Sequence<UInt8>) {
        fields = []
        for field in Array(line).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false) {
            guard let bytes = Hexadecimal.decode(field) else { return nil }
            fields.append(bytes)
        }
    }

    /// With its end.
    var bytes: [UInt8] {
        Array(fields.map { Hexadecimal.encode($0) }.joined(separator: " ").utf8) + [UInt8(ascii: "\n")]
    }
}
