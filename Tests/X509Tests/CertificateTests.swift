import Foundation
import Testing

@testable import X509

@Suite struct CertificateTests {
    /// Certificates that OpenSSL's command and python read, and we refuse.
    private static let refused = ["bad-extension", "serial-65"]

    @Test("There is an expectation for nearly every certificate")
    func vectorsAreThere() { #expect(Vectors.expected.count == 74) }

    @Test("Each value is what other parsers read", arguments: Vectors.expected)
    func values(_ expected: Vectors.Expectation) throws {
        let name = try #require(expected["file"])
        guard !Self.refused.contains(name) else { return }
        let certificate = try Vectors.certificate(name)
        #expect("\(certificate.version)" == expected["version"])
        #expect(certificate.serial.decimal == expected["serial"])
        #expect("\(certificate.notBefore)" == expected["not-before"])
        #expect("\(certificate.notAfter)" == expected["not-after"])
        #expect(hexadecimal(certificate.fingerprint) == expected["sha256"])
        #expect(certificate.subjectKeyID.map(hexadecimal) ?? "-" == expected["ski"])
        #expect(certificate.authorityKeyID.map(hexadecimal) ?? "-" == expected["aki"])
        if expected["spki-sha256"] != "-" {
            #expect(hexadecimal(Digest.sha256(certificate.subjectPublicKeyInfo)) == expected["spki-sha256"])
        }
        if name != "name-invisible" {  // whose invisible characters the command leaves as they are
            #expect(certificate.subject.description == expected["subject"])
        }
        #expect(certificate.issuer.description == expected["issuer"])
    }

    @Test("Each public key is the one that other parsers read", arguments: Vectors.expected)
    func keys(_ expected: Vectors.Expectation) throws {
        let name = try #require(expected["file"])
        guard !Self.refused.contains(name) else { return }
        let curves = ["P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1", "1.3.132.0.10": "secp256k1"]
        let found: (String, String, String) =
            switch try Vectors.certificate(name).publicKey {
            case .rsa(let modulus, let exponent):
                ("RSA \(PublicKey.bits(modulus))", hexadecimal(modulus), hexadecimal(exponent))
            case .ec(let curve, let point): ("EC \(curves["\(curve)"] ?? "")", hexadecimal(point), "-")
            case .other: ("-", "-", "-")
            }
        #expect(found == (expected["key"], expected["key-1"], expected["key-2"]))
    }

    @Test(
        "A key is called what people call it",
        arguments: [
            "key-rsa2048": "RSA 2048", "key-rsa4096": "RSA 4096", "leaf": "EC P-256", "key-secp521r1": "EC P-521",
            "key-secp256k1": "EC 1.3.132.0.10", "key-ed25519": "ED25519", "key-pss": "RSASSA-PSS",
            "key-explicit": "an EC key with explicit curve parameters",
        ])
    func keyText(_ row: (key: String, value: String)) throws {
        #expect(try Vectors.certificate(row.key).publicKey.description == row.value)
    }

    @Test(
        "Serial numbers have an even number of hexadecimal digits",
        arguments: [
            "serial-envoy-1": "03EC7EDC37A757D3F69A309A7D91A516",
            "serial-envoy-2": "3921BCE7F3151A4B7FEF54EFEF54C409A5030F3A", "serial-one": "01", "serial-zero": "00",
            "serial-negative": "-0123", "serial-high-bit": String(repeating: "FF", count: 20),
        ])
    func serials(_ row: (key: String, value: String)) throws {
        #expect(try Vectors.certificate(row.key).serial.hexadecimal == row.value)
    }

    @Test(
        "The signature's hash is named",
        arguments: [
            "hash-md5": "md5", "hash-sha1": "sha1", "hash-sha224": "sha224", "leaf": "sha256", "hash-sha384": "sha384",
            "hash-sha512": "sha512", "hash-pss": "sha384", "hash-ed25519": nil,
        ] as [String: String?])
    func hashes(_ row: (key: String, value: String?)) throws {
        #expect(try Vectors.certificate(row.key).signatureHash == row.value)
    }

    @Test(
        "Extensions say what a certificate is for",
        arguments: [
            ("root", true, [.keyCertSign], false), ("leaf", false, [.digitalSignature], false),
            ("ca-leaf", true, [.digitalSignature, .keyCertSign], false), ("no-usage", false, nil, false),
            ("other-usage", false, [], false), ("attestation", false, [.digitalSignature], true),
            ("similar-extension", false, [.digitalSignature], false), ("version-1", false, nil, false),
        ] as [(String, Bool, KeyUsage?, Bool)])
    func extensions(_ name: String, isCA: Bool, usage: KeyUsage?, isAttestation: Bool) throws {
        let certificate = try Vectors.certificate(name)
        #expect(certificate.isCA == isCA)
        #expect(certificate.keyUsage?.intersection([.digitalSignature, .keyCertSign]) == usage)
        #expect(certificate.isYubiKeyAttestation == isAttestation)
    }

    @Test("Invisible characters of a name are escaped, visible ones are not")
    func invisible() throws {
        let escaped = #"CN=exe\E2\80\AEgpj\E2\80\8B\C2\85\E2\80\A8"#
        #expect(try Vectors.certificate("name-invisible").subject.description == escaped)
    }

    @Test("Zero padding is cut off, and certificates are equal by their DER")
    func padding() throws {
        let der = try Vectors.bytes("leaf.der")
        let padded = try Certificate(der: der + [UInt8](repeating: 0, count: 1000))
        #expect(padded.der == der)
        #expect(try padded == Vectors.certificate("leaf"))
        #expect(try padded != Vectors.certificate("leaf-same-end"))
        #expect(try Set([padded, Vectors.certificate("leaf")]).count == 1)
    }
}
