import Testing

@testable import CertificateRequests

@Suite struct AlternativeNameTests {
    @Test(
        "Names have the encodings of RFC 5280 §4.2.1.6",
        arguments: [
            ("DNS:a.example", [0x82, 9] + Array("a.example".utf8)), ("dns:*.a.b", [0x82, 5] + Array("*.a.b".utf8)),
            ("email:a@b", [0x81, 3] + Array("a@b".utf8)), ("URI:urn:a:b", [0x86, 7] + Array("urn:a:b".utf8)),
            ("URI:spiffe://td/path%20a", [0x86, 20] + Array("spiffe://td/path%20a".utf8)),
            ("IP:192.0.2.1", [0x87, 4, 192, 0, 2, 1]),
            ("IP:2001:db8::1", [0x87, 16, 0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            ("IP:::", [0x87, 16] + [UInt8](repeating: 0, count: 16)),
            ("IP:::ffff:192.0.2.1", [0x87, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1]),
            ("IP:1:2:3:4:5:6:7:8", [0x87, 16, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
        ] as [(String, [UInt8])])
    func encodings(_ text: String, _ expected: [UInt8]) throws {
        #expect(try AlternativeName(text).der == expected)
    }

    @Test(
        "What is no name is refused with its reason",
        arguments: [
            ("", .noKind), ("host", .noKind), ("RID:1.2.3", .noKind), ("DNS:", .empty),
            ("DNS:" + String(repeating: "a", count: 1025), .tooLong), ("DNS:a b", .notVisible),
            ("DNS:a\n", .notVisible), ("DNS:ä.example", .notVisible), ("URI:http://a/\u{7}", .notVisible),
            ("DNS:a..b", .noDomain), ("DNS:a.", .noDomain), ("DNS:-a", .noDomain), ("DNS:a-.b", .noDomain),
            ("DNS:*", .noDomain), ("DNS:a.*.b", .noDomain), ("DNS:a/b", .noDomain),
            ("DNS:" + String(repeating: "a", count: 64), .noDomain),
            ("DNS:" + String(repeating: "a.", count: 127), .noDomain),
            ("email:a", .noMailbox), ("email:a@b@c", .noMailbox), ("email:@b", .noMailbox),
            ("email:a..b@c", .noMailbox),
            ("email:a@*.b", .noMailbox), ("email:<a>@b", .noMailbox),
            ("URI:/a", .noURI), ("URI:a", .noURI), ("URI:1a:b", .noURI), ("URI:http:", .noURI), ("URI:a:%4", .noURI),
            ("URI:a:<b>", .noURI),
            ("IP:1.2.3", .noAddress), ("IP:1.2.3.256", .noAddress), ("IP:01.2.3.4", .noAddress),
            ("IP:1.2.3.4.5", .noAddress), ("IP:1:2:3:4:5:6:7", .noAddress), ("IP:1::2::3", .noAddress),
            ("IP:12345::", .noAddress), ("IP::1", .noAddress),
            ("IP:1:2:3:4:5:6:7::8", .noAddress), ("IP:fe80::1%eth0", .noAddress),
            ("IP:1.2.3.4::", .noAddress), ("IP:192.0.2.0/24", .noAddress),
        ] as [(String, AlternativeNameError.Reason)])
    func refusals(_ text: String, _ reason: AlternativeNameError.Reason) {
        #expect(throws: AlternativeNameError(text, reason)) { try AlternativeName(text) }
    }
}
