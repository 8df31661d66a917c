import SignatureSchemes
import Testing

@testable import X509

@Suite struct VerificationTests {
    @Test(
        "A certificate is issued by the one whose name, key identifier, usage and key fit",
        arguments: [
            ("leaf", "int-1", true), ("leaf", "int-1-renewed", true), ("leaf", "int-1-expired", true),
            ("leaf", "impostor", false), ("leaf", "int-2", false), ("leaf", "root", false), ("leaf", "leaf", false),
            ("leaf-three", "int-3", true), ("int-1", "root", true), ("root", "root", true), ("root", "int-1", false),
            ("cross-a", "cross-b", true), ("cross-b", "cross-a", true), ("cross-a", "cross-b-root", true),
            ("leaf-self", "leaf-self", false), ("leaf", "ca-without-sign", false), ("leaf", "not-a-ca", false),
            ("name-nul", "int-1", false),
        ])
    func issued(_ subject: String, by issuer: String, expected: Bool) throws {
        #expect(try Vectors.certificate(subject).isIssued(by: Vectors.certificate(issuer)) == expected)
    }

    @Test(
        "A signature is verified with the right key, hash and padding alone",
        arguments: [
            ("leaf", "signature-p256", .ecdsa, true), ("leaf", "signature-p256-sha384", .ecdsa, false),
            ("leaf-tie", "signature-p256", .ecdsa, false), ("key-rsa2048", "signature-rsa2048", .rsaPKCS1, true),
            ("key-rsa2048", "signature-rsa2048-pss", .rsaPKCS1, false),
            ("key-rsa2048", "signature-rsa2048", .rsaPSS, false),
            ("key-rsa2048", "signature-rsa2048-pss", .rsaPSS, false),  // its salt is as long as can be
            ("key-rsa4096", "signature-rsa2048", .rsaPKCS1, false),
            ("key-secp384r1", "signature-secp384r1", .ecdsa, true),
            ("key-secp521r1", "signature-secp521r1", .ecdsa, true),
            ("key-ed25519", "signature-p256", .ecdsa, false), ("leaf", "signature-rsa2048", .ecdsa, false),
            ("leaf", "signature-p256", .rsaPKCS1, false), ("key-rsa2048", "signature-rsa2048", .ecdsa, false),
        ] as [(String, String, SignatureScheme.Algorithm, Bool)])
    func signature(
        _ certificate: String, signature: String, algorithm: SignatureScheme.Algorithm, expected: Bool
    ) throws {
        let message = try Vectors.bytes("message.bin")
        let signature = try Vectors.bytes("\(signature).bin")
        let certificate = try Vectors.certificate(certificate)
        let scheme = SignatureScheme(algorithm, .sha256)
        func verifies(_ signature: [UInt8], _ message: [UInt8]) -> Bool {
            certificate.verifies(signature: signature, message: message, scheme: scheme)
        }
        #expect(verifies(signature, message) == expected)
        #expect(!verifies(signature, message + [0]))
        #expect(!verifies(signature + [0], message))
        #expect(!verifies(Array(signature.dropLast()), message))
        #expect(!verifies([], message))
    }
}
