import TokenService
import X509

/// Whether a key object on a token is the key of a certificate, by what the token tells of it.
enum KeyComparison {
    case same
    case different
    /// The token tells too little.
    case unknown
}

extension PublicHalf {
    func compared(with key: PublicKey) -> KeyComparison {
        switch (self, key) {
        case (.rsa(let modulus, let exponent), .rsa(let expectedModulus, let expectedExponent)):
            guard !modulus.isEmpty else { return .unknown }
            guard Self.significant(modulus) == Self.significant(expectedModulus) else { return .different }
            return exponent.isEmpty || Self.significant(exponent) == Self.significant(expectedExponent)
                ? .same : .different
        case (.ec(_, let point), .ec(_, let expected)):
            guard !point.isEmpty else { return .unknown }
            let encodings = Self.encodings(of: expected)
            if encodings.contains(point) { return .same }
            // Another length is another curve, or an encoding that we do not know: no proof of another key.
            return encodings.contains { $0.count == point.count } ? .different : .unknown
        default: return .different
        }
    }

    private static func significant(_ number: [UInt8]) -> ArraySlice<UInt8> { number.drop { $0 == 0 } }

    /// The ways in which tokens write an uncompressed point: SEC 1 §2.3.3 with and without compression, each bare or in a
    /// DER OCTET STRING. The known point is encoded, so that what the token wrote needs no parser.
    private static func encodings(of point: [UInt8]) -> [[UInt8]] {
        let width = (point.count - 1) / 2
        guard width > 0, let last = point.last else { return [point] }
        let compressed = [last & 1 == 0 ? 0x02 : 0x03] + point.dropFirst().prefix(width)
        return [point, compressed].flatMap { [$0, octetString($0)] }
    }

    /// DER for at most 255 bytes; a point on P-521 has 133.
    private static func octetString(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt8(clamping: bytes.count)
        return [0x04] + (count < 0x80 ? [count] : [0x81, count]) + bytes
    }
}
