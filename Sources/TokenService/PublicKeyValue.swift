/// A public key itself, whatever a token's way to write it: equal for equal keys.
package enum PublicKeyValue: Hashable, Sendable {
    /// Unsigned big-endian without leading zeros; the exponent is empty where the token does not tell it.
    case rsa(modulus: [UInt8], exponent: [UInt8])
    /// The compressed point: 2 or 3, x (SEC 1 §2.3.3).
    case ec(point: [UInt8])

    /// Nil where there is no modulus.
    package init?(modulus: [UInt8], exponent: [UInt8]) {
        guard modulus.contains(where: { $0 != 0 }) else { return nil }
        self = .rsa(modulus: Array(modulus.drop { $0 == 0 }), exponent: Array(exponent.drop { $0 == 0 }))
    }

    /// Reads a point on P-256, P-384 or P-521, compressed or not, bare or in a DER OCTET STRING (PKCS#11 2.40 §2.3.3); nil for what is neither.
    package init?(point: [UInt8]) {
        guard let compressed = Self.compressed(point[...]) ?? Self.unwrapped(point).flatMap(Self.compressed) else {
            return nil
        }
        self = .ec(point: compressed)
    }

    /// The same key where it is not known to have another exponent.
    package var withoutExponent: Self {
        if case .rsa(let modulus, _) = self { .rsa(modulus: modulus, exponent: []) } else { self }
    }

    /// The bytes of x on P-256, P-384 and P-521. With others an OCTET STRING could be read as a bare point.
    private static let widths = [32, 48, 66]

    private static func compressed(_ point: ArraySlice<UInt8>) -> [UInt8]? {
        guard let form = point.first, let last = point.last else { return nil }
        let coordinates = point.dropFirst()
        switch form {
        case 0x02, 0x03: return widths.contains(coordinates.count) ? Array(point) : nil
        case 0x04 where widths.contains { 2 * $0 == coordinates.count }:
            return [0x02 | last & 1] + coordinates.prefix(coordinates.count / 2)
        default: return nil
        }
    }

    /// The content of an OCTET STRING of at most 255 bytes; a point on P-521 has 133.
    private static func unwrapped(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        for header in [[0x04], [0x04, 0x81]] as [[UInt8]] where bytes.starts(with: header) {
            let content = bytes.dropFirst(header.count + 1)
            if bytes.count > header.count, Int(bytes[header.count]) == content.count { return content }
        }
        return nil
    }
}

extension PublicHalf {
    /// Nil where the token tells too little, or in a form that is not known.
    package var value: PublicKeyValue? {
        switch self {
        case .rsa(let modulus, let exponent): PublicKeyValue(modulus: modulus, exponent: exponent)
        case .ec(_, let point): PublicKeyValue(point: point)
        case .other: nil
        }
    }
}
