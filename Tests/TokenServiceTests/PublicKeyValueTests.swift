import Testing

@testable import TokenService

@Suite("A public key's value")
struct PublicKeyValueTests {
    /// The bytes of a coordinate on P-256, P-384 and P-521 (SEC 2 §2.4.2, §2.5.1, §2.6.1).
    private static let widths = [32, 48, 66]

    private func point(_ width: Int, lastByte: UInt8, firstByte: UInt8 = 0x6B) -> [UInt8] {
        [0x04, firstByte] + (1..<width).map { UInt8($0) } + (1..<width).map { UInt8(0xFF - $0) } + [lastByte]
    }

    private func wrapped(_ point: [UInt8]) -> [UInt8] {
        [0x04] + (point.count < 128 ? [] : [0x81]) + [UInt8(point.count)] + point
    }

    @Test("A point has one value however it is written", arguments: widths, [0xF4, 0xF5] as [UInt8])
    func points(width: Int, lastByte: UInt8) {
        let full = point(width, lastByte: lastByte)
        let compressed = [lastByte & 1 == 0 ? 0x02 : 0x03] + full[1...width]
        for written in [full, compressed, wrapped(full), wrapped(compressed)] {
            #expect(PublicKeyValue(point: written) == .ec(point: compressed))
        }
        #expect(PublicKeyValue(point: point(width, lastByte: lastByte ^ 1)) != .ec(point: compressed))
    }

    /// The first byte of x reads as the length of an OCTET STRING here.
    @Test("A bare point is no OCTET STRING, whatever its first byte", arguments: widths)
    func bareOrWrapped(width: Int) {
        let full = point(width, lastByte: 2, firstByte: UInt8(2 * width - 1))
        #expect(PublicKeyValue(point: full) == .ec(point: [0x02] + full[1...width]))
    }

    @Test(
        "What is no point has no value",
        arguments: [
            [], [0x04], [0x04, 0x00], [0x00], [0x02, 1, 2, 3], [0x04, 0x81], [0x04, 0x81, 0xFF],
            [0x05] + [UInt8](repeating: 1, count: 64), [0x04] + [UInt8](repeating: 1, count: 63),
            [0x04] + [UInt8](repeating: 1, count: 56),
        ] as [[UInt8]])
    func noPoint(written: [UInt8]) { #expect(PublicKeyValue(point: written) == nil) }

    @Test("RSA numbers are compared without their leading zeros")
    func rsa() {
        let value = PublicKeyValue(modulus: [0, 0, 0x80, 1], exponent: [0, 1, 0, 1])
        #expect(value == .rsa(modulus: [0x80, 1], exponent: [1, 0, 1]))
        #expect(value?.withoutExponent == PublicKeyValue(modulus: [0x80, 1], exponent: []))
        #expect(PublicKeyValue(modulus: [0, 0], exponent: [3]) == nil)
        #expect(PublicHalf.other(keyType: 7).value == nil)
    }
}
