import Testing
import X509

@testable import Identities

@Suite struct CertificateChainTests {
    /// Nine certificates that a card may hold besides the leaf, none of which has to do with it.
    private static let strangers = [
        "impostor", "cross-a", "cross-b", "cross-a-root", "cross-b-root", "leaf-tie", "key-rsa2048", "attestation",
        "not-a-ca",
    ]

    @Test(
        "A chain has the issuers alone, from the leaf's upwards",
        arguments: [
            ("leaf-root", [], []), ("leaf-root", ["root", "int-1"], []), ("leaf", [], []), ("leaf", strangers, []),
            ("leaf", ["int-1"], ["int-1"]), ("leaf", ["leaf", "root", "int-1", "leaf"], ["int-1"]),
            ("leaf", ["int-1", "int-1", "int-2", "int-3"], ["int-1"]), ("leaf", strangers + ["int-1"], ["int-1"]),
            ("leaf-three", ["int-1", "int-2", "int-3", "root"], ["int-3", "int-2", "int-1"]),
            ("leaf-three", ["int-3", "int-1"], ["int-3"]), ("leaf-three", ["int-2", "int-1"], []),
            ("leaf-three", strangers + ["int-1", "int-2", "int-3"], ["int-3", "int-2", "int-1"]),
            (
                "leaf-deep", ["int-1", "int-2", "int-3", "int-4", "int-5", "int-6", "root"],
                ["int-6", "int-5", "int-4", "int-3", "int-2"]
            ),
            ("leaf", ["int-1-expired"], ["int-1-expired"]), ("leaf", ["int-1-expired", "int-1"], ["int-1"]),
            ("leaf", ["int-1", "int-1-renewed", "int-1-expired"], ["int-1-renewed"]),
            ("leaf", ["not-a-ca", "ca-without-sign"], []), ("leaf", ["impostor", "int-1"], ["int-1"]),
            ("leaf-cross", ["cross-a", "cross-b"], ["cross-a", "cross-b"]),
            ("leaf-cross", ["cross-a", "cross-b", "cross-a-root", "cross-b-root"], ["cross-a", "cross-b"]),
            ("leaf-self", ["leaf-self", "int-1"], []), ("root", ["root", "int-1"], []),
        ])
    func chains(_ leaf: String, from names: [String], expected: [String]) throws {
        let certificates = try names.map { try Vectors.certificate($0) }
        let chain = try expected.map { try Vectors.certificate($0) }
        let leaf = try Vectors.certificate(leaf)
        #expect(CertificateChain.intermediates(for: leaf, from: certificates, at: now) == chain)
        #expect(CertificateChain.intermediates(for: leaf, from: certificates.reversed(), at: now) == chain)
    }

    /// A certificate's name, key and dates under a signature that somebody made up; `number` tells several apart.
    private func forged(_ name: String, _ number: UInt16 = 0) throws -> Certificate {
        let bytes = try Vectors.bytes(name)
        let end = [UInt8(number >> 8) ^ 0xA5, UInt8(truncatingIfNeeded: number) ^ 0x5A]
        return try Certificate(der: bytes.dropLast(2) + end)
    }

    @Test("A forged intermediate that expires last is not taken where another certificate or a file tells")
    func forgedOnes() throws {
        let leaf = try Vectors.certificate("leaf")
        let (genuine, root) = (try Vectors.certificate("int-1"), try Vectors.certificate("root"))
        let renewed = try Vectors.certificate("int-1-renewed")
        let forged = try forged("int-1-renewed")
        #expect(forged.notAfter > genuine.notAfter && forged.subjectPublicKeyInfo == genuine.subjectPublicKeyInfo)
        let rows: [([Certificate], [Certificate], Certificate)] = [
            ([forged, genuine, root], [], genuine), ([forged, genuine], [root], genuine),
            ([forged], [genuine], genuine), ([forged, genuine, renewed, root], [], renewed),
        ]
        for (token, configured, expected) in rows {
            for token in [token, token.reversed()] {
                let chain = CertificateChain.intermediates(for: leaf, from: token, configured: configured, at: now)
                #expect(chain == [expected])
            }
        }
    }

    @Test("A chain costs 64 verifications at most, whatever a token holds, and files come first")
    func verifications() throws {
        let leaf = try Vectors.certificate("leaf")
        let genuine = try Vectors.certificate("int-1")
        let crowd = try (0..<1000).map { try forged("int-1-renewed", $0) }
        var count = 0
        let chain = CertificateChain.intermediates(for: leaf, from: crowd, configured: [genuine], at: now) {
            count += 1
            return $0.isIssued(by: $1)
        }
        #expect(chain.first == genuine)
        #expect(count == 64)
    }
}
