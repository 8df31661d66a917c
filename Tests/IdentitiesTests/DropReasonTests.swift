import Testing
import TokenService
import X509

@testable import Identities

@Suite struct DropReasonTests {
    @Test(
        "A certificate is dropped for everything that the service refuses",
        arguments: [
            ("leaf", []), ("key-rsa2048", []), ("key-rsa4096", []), ("key-secp384r1", []), ("key-secp521r1", []),
            ("hash-sha384", []), ("hash-sha512", []), ("name-utf8", []),
            ("serial-negative", ["its serial number is negative (RFC 5280 forbids that); have it issued anew"]),
            ("serial-zero", []), ("serial-high-bit", []),
            ("serial-64", ["its serial number has 154 decimal digits, more than the 64 that fit in a request"]),
            ("expired", ["expired on 2020-01-01T00:00:00Z"]),
            ("not-yet-valid", ["not valid before 2090-01-01T00:00:00Z"]),
            ("ca-leaf", ["a CA's certificate (basicConstraints), which the service does not take"]),
            (
                "root",
                [
                    "a CA's certificate (basicConstraints), which the service does not take",
                    "its key usage lacks digitalSignature",
                ]
            ),
            ("no-usage", ["no key usage extension; the service wants digitalSignature"]),
            ("other-usage", ["its key usage lacks digitalSignature"]),
            ("hash-md5", ["signed with MD5; the service wants SHA-256 or stronger"]),
            ("hash-sha1", ["signed with SHA1; the service wants SHA-256 or stronger"]),
            ("hash-sha224", ["signed with SHA224; the service wants SHA-256 or stronger"]),
            ("name-empty", ["its subject is empty, which the service does not take"]),
            (
                "version-1",
                [
                    "X.509 version 1; the service wants version 3",
                    "no key usage extension; the service wants digitalSignature",
                ]
            ),
            ("attestation", ["an attestation of a YubiKey, made for proofs and not for signing in"]),
            ("similar-extension", []),
            ("key-ed25519", ["its key is ED25519; \(taken)"]), ("key-rsa1024", ["its key is RSA 1024; \(taken)"]),
            ("key-rsa2047", ["its key is RSA 2047; \(taken)"]), ("key-rsa4104", ["its key is RSA 4104; \(taken)"]),
            ("key-secp256k1", ["its key is EC 1.3.132.0.10; \(taken)"]),
            ("key-pss", ["its key is RSASSA-PSS; \(taken)"]),
            ("key-explicit", ["its key is an EC key with explicit curve parameters; \(taken)"]),
            ("big", ["it has 16814 bytes, more than the 16384 that fit in a request"]),
        ])
    func rules(_ name: String, messages: [String]) throws {
        let certificate = try Vectors.certificate(name)
        #expect(IdentityRules.reasons(against: certificate, at: now).map(\.message) == messages)
    }

    @Test(
        "The first and the last second of a certificate's life belong to it",
        arguments: [
            (1_577_836_799, [.notYetValid(1_577_836_800)]), (1_577_836_800, []), (3_944_678_400, []),
            (3_944_678_401, [.expired(3_944_678_400)]),
        ] as [(Int64, [DropReason])])
    func edges(_ time: Int64, reasons: [DropReason]) throws {
        #expect(try IdentityRules.reasons(against: Vectors.certificate("leaf"), at: time) == reasons)
    }

    @Test("A certificate that cannot be read drops out alone, with the reason")
    func unreadable() throws {
        let leaf = try CertificateObject("leaf")
        let bad = try CertificateObject(id: [1], label: [], value: Array(Vectors.bytes("leaf").prefix(300)))
        let key = try KeyObject.privateKey(Vectors.publicHalf("leaf"))
        let inventory = Inventory([TokenSnapshot(certificates: [bad, leaf, bad], keys: [key])].present)
        let candidates = inventory.candidates(at: now)
        #expect(candidates.map(\.verdict) == [.dropped, .usable, .dropped])
        #expect(candidates[0].explanation == ["the certificate ends after 300 of \(leaf.value.count) bytes"])
        #expect(candidates[0].certificate == nil)
        #expect(inventory.readable == [try Vectors.certificate("leaf")])
        #expect(
            try inventory.select(CertificateSelector(), at: now).identity.get().certificate == inventory.readable[0])
    }

    private static let taken = "the service takes RSA 2048 to 4096, EC P-256, P-384 and P-521"
}
