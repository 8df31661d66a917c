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
}
