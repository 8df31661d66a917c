import Encodings

/// An address as text: four numbers (RFC 3986 §3.2.2), or IPv6 (RFC 4291 §2.2).
struct IPAddress: Hashable {
    /// Four or sixteen, the first of the address first.
    let bytes: [UInt8]

    init?(_ text: [UInt8]) {
        guard text.count <= 45, let bytes = Self.version4(text[...]) ?? Self.version6(text) else { return nil }
        self.bytes = bytes
    }

    private static func version4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part -> UInt8? in
            // A zero in front makes it octal for some readers.
            let hasZero = part.count > 1 && part.first == UInt8(ascii: "0")
            guard (1...3).contains(part.count), part.allSatisfy(\.isDigit), !hasZero else { return nil }
            return UInt8(String(decoding: part, as: UTF8.self))
        }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func version6(_ text: [UInt8]) -> [UInt8]? {
        guard let gap = Self.gap(in: text) else {
            return groups(text[...], isEnd: true).flatMap { $0.count == 16 ? $0 : nil }
        }
        guard let start = groups(text[..<gap], isEnd: false), let end = groups(text[(gap + 2)...], isEnd: true),
            start.count + end.count <= 14
        else { return nil }
        return start + [UInt8](repeating: 0, count: 16 - start.count - end.count) + end
    }

    /// Where `::` stands.
    private static func gap(in text: [UInt8]) -> Int? {
        text.indices.dropLast().first { text[$0] == UInt8(ascii: ":") && text[$0 + 1] == UInt8(ascii: ":") }
    }

    /// The bytes of groups between colons, where the last may be an address of IPv4.
    private static func groups(_ text: ArraySlice<UInt8>, isEnd: Bool) -> [UInt8]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if isEnd, index == parts.count - 1, let address = version4(part) {
                bytes += address
            } else {
                guard (1...4).contains(part.count), part.allSatisfy({ $0.hexadecimalDigit != nil }),
                    let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
            }
        }
        return bytes
    }
}
