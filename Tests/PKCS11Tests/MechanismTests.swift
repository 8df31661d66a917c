import SignatureSchemes
import Testing

@testable import PKCS11

@Suite("Ways to sign")
struct MechanismTests {
    /// CKK_RSA is 0 and CKK_EC is 3; CKM_ numbers as in pkcs11t.h of PKCS#11 2.40; 0x40 is CKK_EC_EDWARDS of 3.0.
    @Test(
        "A scheme has two mechanisms on keys of its kind, by their numbers, and none on others",
        arguments: [
            (.init(.rsaPKCS1, .sha256), 0, [0x40, 0x1]), (.init(.rsaPKCS1, .sha384), 0, [0x41, 0x1]),
            (.init(.rsaPKCS1, .sha512), 0, [0x42, 0x1]), (.init(.rsaPSS, .sha256), 0, [0xD, 0x43]),
            (.init(.rsaPSS, .sha384), 0, [0xD, 0x44]), (.init(.rsaPSS, .sha512), 0, [0xD, 0x45]),
            (.init(.ecdsa, .sha256), 3, [0x1041, 0x1044]), (.init(.ecdsa, .sha384), 3, [0x1041, 0x1045]),
            (.init(.ecdsa, .sha512), 3, [0x1041, 0x1046]), (.init(.ecdsa, .sha256), 0, []),
            (.init(.rsaPSS, .sha256), 3, []), (.init(.ecdsa, .sha256), 0x40, []),
            (.init(.rsaPKCS1, .sha256), .max, []),
        ] as [(SignatureScheme, UInt64, [UInt])])
    func candidates(_ scheme: SignatureScheme, keyType: UInt64, numbers: [UInt]) {
        #expect(Mechanism.candidates(for: scheme, keyType: keyType).map(\.rawValue) == numbers)
    }

    /// RFC 8017 §9.2, note 1.
    @Test(
        "A token that does not hash gets the hash, and for PKCS #1 v1.5 the DigestInfo around it",
        arguments: [
            (.sha256, [0x31, 0x01, 0x20]), (.sha384, [0x41, 0x02, 0x30]), (.sha512, [0x51, 0x03, 0x40]),
        ] as [(SignatureScheme.Hash, [UInt8])])
    func inputs(_ hash: SignatureScheme.Hash, its: [UInt8]) {
        let message: [UInt8] = [1, 2, 3]
        let digest = [UInt8](repeating: 0xAA, count: hash.length)
        let header: [UInt8] = [
            0x30, its[0], 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, its[1], 0x05, 0x00,
            0x04, its[2],
        ]
        func input(_ algorithm: SignatureScheme.Algorithm, hashes: Bool) -> [UInt8] {
            Mechanism(scheme: SignatureScheme(algorithm, hash), hashes: hashes).input(message: message, digest: digest)
        }
        #expect(input(.rsaPKCS1, hashes: false) == header + digest)
        #expect(input(.ecdsa, hashes: false) == digest && input(.rsaPSS, hashes: false) == digest)
        for algorithm in SignatureScheme.Algorithm.allCases { #expect(input(algorithm, hashes: true) == message) }
    }

    /// RFC 8446 §4.2.3: MGF1 with the same hash, and a salt as long as the hash.
    @Test(
        "RSA-PSS alone has parameters: hash, mask and salt",
        arguments: [(.sha256, [0x250, 2, 32]), (.sha384, [0x260, 3, 48]), (.sha512, [0x270, 4, 64])]
            as [(SignatureScheme.Hash, [UInt])])
    func parameters(_ hash: SignatureScheme.Hash, expected: [UInt]) {
        for mechanism in Mechanism.candidates(for: SignatureScheme(.rsaPSS, hash), keyType: 0) {
            let parameters = mechanism.pssParameters
            #expect([parameters?.hashAlg, parameters?.mgf, parameters?.sLen] == expected)
        }
        for mechanism in Mechanism.candidates(for: SignatureScheme(.rsaPKCS1, hash), keyType: 0) {
            #expect(mechanism.pssParameters == nil)
        }
    }

    @Test("A token has RSA-PSS if it lists the general mechanism, or one for each hash") func listed() {
        #expect(Mechanism.includePSS([0x1, 0xD, 0x40]))
        #expect(Mechanism.includePSS([0x43, 0x44, 0x45]))
        #expect(
            !Mechanism.includePSS([0x43, 0x45]) && !Mechanism.includePSS([0x1, 0x40]) && !Mechanism.includePSS([]))
    }

    /// CK_ULONG has 8 bytes here, in the machine's order, and CK_BBOOL one.
    @Test("A number or a flag of another width is as good as absent") func widths() {
        let values = AttributeValues(values: [
            .keyType: [3, 0, 0, 0, 0, 0, 0, 0], .certificateType: [0, 0, 0, 0], .sign: [1],
            .alwaysAuthenticate: [0, 0],
        ])
        #expect(values.number(.keyType) == 3 && values.number(.certificateType) == nil && values.number(.id) == nil)
        #expect(values.flag(.sign) == true && values.flag(.alwaysAuthenticate) == nil && values.flag(.keyType) == nil)
    }
}
