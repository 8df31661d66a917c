import Encodings

/// Writes values of ASN.1 in their distinguished encoding (X.690 §10, §11).
package enum DER {
    /// The tags that are written here (X.680 §8.4).
    package enum Tag: UInt8, Sendable {
        case boolean = 0x01
        case integer = 0x02
        case bitString = 0x03
        case octetString = 0x04
        case null = 0x05
        case objectIdentifier = 0x06
        case utf8String = 0x0C
        case printableString = 0x13
        case ia5String = 0x16
        case sequence = 0x30
        case set = 0x31
    }

    /// A value with its tag and length.
    package static func value(_ tag: Tag, _ content: some Collection<UInt8>) -> [UInt8] {
        value(tag: tag.rawValue, content)
    }

    /// A value with a tag of another class, such as 0x82 for `[2] IMPLICIT`.
    package static func value(tag: UInt8, _ content: some Collection<UInt8>) -> [UInt8] {
        [tag] + length(content.count) + content
    }

    package static func sequence(_ members: [UInt8]...) -> [UInt8] { value(.sequence, members.flatMap { $0 }) }

    /// SET OF: its members in the order of their encodings (X.690 §11.6).
    package static func set(of members: [[UInt8]]) -> [UInt8] {
        value(.set, members.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 })
    }

    /// An unsigned number of any size, big-endian.
    package static func unsigned(_ magnitude: some Collection<UInt8>) -> [UInt8] {
        let significant = magnitude.drop { $0 == 0 }
        let needsZero = significant.first.map { $0 >= 0x80 } ?? true
        return value(.integer, (needsZero ? [0] : []) + significant)
    }

    /// A bit string of whole bytes.
    package static func bitString(_ bytes: [UInt8]) -> [UInt8] { value(.bitString, [0] + bytes) }

    package static let null: [UInt8] = [Tag.null.rawValue, 0]

    /// An object identifier in dotted decimal; nil for what is none, or has an arc of more than 128 bits, which is the
    /// longest that is given out (X.667 §6.3).
    package static func objectIdentifier(_ dotted: String) -> [UInt8]? {
        var arcs: [UInt128] = []
        for part in dotted.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            let isMinimal = part.count == 1 || part.first != UInt8(ascii: "0")
            guard isMinimal, part.allSatisfy(\.isDigit), let arc = UInt128(String(decoding: part, as: UTF8.self)) else {
                return nil
            }
            arcs.append(arc)
        }
        guard arcs.count >= 2, arcs[0] <= 2, arcs[0] == 2 || arcs[1] < 40, arcs[1] <= .max - 80 else { return nil }
        let subidentifiers = [arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2)
        return value(.objectIdentifier, subidentifiers.flatMap(base128))
    }

    /// The length octets in their shortest form (X.690 §10.1).
    private static func length(_ count: Int) -> [UInt8] {
        if count < 0x80 { return [UInt8(count)] }
        var bytes: [UInt8] = []
        var rest = count
        while rest > 0 {
            bytes.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [0x80 | UInt8(bytes.count)] + bytes
    }

    /// X.690 §8.19.2.
    private static func base128(_ number: UInt128) -> [UInt8] {
        var bytes = [UInt8(number & 0x7F)]
        var rest = number >> 7
        while rest > 0 {
            bytes.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
            rest >>= 7
        }
        return bytes
    }
}
