import Testing

@testable import PKCS11

@Suite("r‖s as DER")
struct ECDSASignatureTests {
    /// Expected values: `encode_dss_signature` of pyca/cryptography.
    @Test(
        "Each pair becomes the DER that another implementation makes",
        arguments: [
            (half: 32, r: "01", s: "01", der: "3006020101020101"),
            (32, "7f", "80", "300702017f02020080"),
            (
                32, "80" + zeros(31), repeated("ff", 32),
                "304602210080" + zeros(31) + "022100" + repeated("ff", 32)
            ),
            (32, "00ff" + zeros(30), "01", "3025022000ff" + zeros(30) + "020101"),
            (
                48, repeated("ff", 48), "80" + zeros(47),
                "3066023100" + repeated("ff", 48) + "02310080" + zeros(47)
            ),
            (
                66, "0100" + zeros(64), "01" + repeated("ff", 65),
                "308188024201" + zeros(65) + "024201" + repeated("ff", 65)
            ),
            (66, "80", "0100" + zeros(63), "304702020080024101" + zeros(64)),
        ])
    func encodes(half: Int, r: String, s: String, der: String) throws {
        let raw = zeros(half - r.count / 2) + r + zeros(half - s.count / 2) + s
        #expect(try ecdsaSignature(fromRaw: bytes(raw)) == bytes(der))
    }

    @Test("What is no pair of equal halves is refused", arguments: [0, 1, 63, 65, 134, 1024])
    func refuses(length: Int) {
        #expect(throws: PKCS11Error.nonsense(what: "an ECDSA signature of \(length) bytes is no pair of equal halves"))
        {
            try ecdsaSignature(fromRaw: [UInt8](repeating: 1, count: length))
        }
    }
}

private func zeros(_ count: Int) -> String { repeated("00", count) }

private func repeated(_ byte: String, _ count: Int) -> String { String(repeating: byte, count: max(0, count)) }

private func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
}
