import Testing

@testable import ASN1

@Suite struct DERTests {
    @Test(
        "Object identifiers are encoded as openssl asn1parse -genstr OID:… does",
        arguments: [
            ("2.5.4.3", [0x06, 0x03, 0x55, 0x04, 0x03]),
            ("1.2.840.113549.1.1.11", [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B]),
            ("2.999", [0x06, 0x02, 0x88, 0x37]), ("0.39", [0x06, 0x01, 0x27]), ("2.0", [0x06, 0x01, 0x50]),
            (
                "2.25.340282366920938463463374607431768211455",
                [0x06, 0x14, 0x69, 0x83] + [UInt8](repeating: 0xFF, count: 17) + [0x7F]
            ),
        ] as [(String, [UInt8])])
    func objectIdentifiers(_ dotted: String, _ expected: [UInt8]) {
        #expect(DER.objectIdentifier(dotted) == expected)
    }

    @Test(
        "What is no object identifier is none",
        arguments: [
            "", "2", "2.", ".5", "2..5", "3.1", "1.40", "0.40", "2.05", "2.-1", "2.5.x", "2.5 ",
            "2.25.340282366920938463463374607431768211456", "2.340282366920938463463374607431768211455",
        ])
    func otherTexts(_ text: String) { #expect(DER.objectIdentifier(text) == nil) }

    @Test("Lengths take their shortest form", arguments: [(127, [0x7F]), (128, [0x81, 0x80]), (256, [0x82, 1, 0])])
    func lengths(_ count: Int, _ expected: [UInt8]) {
        let value = DER.value(.octetString, [UInt8](repeating: 1, count: count))
        #expect(Array(value.prefix(1 + expected.count)) == [4] + expected)
        #expect(value.count == 1 + expected.count + count)
    }

    @Test("Unsigned numbers have no bit too many and none too few")
    func numbers() {
        #expect(DER.unsigned([]) == [2, 1, 0])
        #expect(DER.unsigned([0, 0]) == [2, 1, 0])
        #expect(DER.unsigned([0, 0x7F]) == [2, 1, 0x7F])
        #expect(DER.unsigned([0x80]) == [2, 2, 0, 0x80])
    }

    @Test("The members of a SET OF stand in the order of their encodings")
    func sets() {
        #expect(DER.set(of: [[4, 1, 2], [4, 1, 1], [2, 1, 9]]) == [0x31, 9, 2, 1, 9, 4, 1, 1, 4, 1, 2])
    }

    @Test("PEM has lines of 64 characters")
    func pem() {
        let text = PEM.encode([UInt8](repeating: 0, count: 49), label: "CERTIFICATE")
        let line = String(repeating: "A", count: 64)
        #expect(text == "-----BEGIN CERTIFICATE-----\n\(line)\nAA==\n-----END CERTIFICATE-----\n")
    }
}
