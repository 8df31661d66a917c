import Testing

@testable import PKCS11

@Suite("Ways to sign")
struct MechanismTests {
    /// CKK_RSA is 0 and CKK_EC is 3 (PKCS#11 2.40, pkcs11t.h); 0x40 is CKK_EC_EDWARDS of 3.0.
    @Test("RSA and EC keys have two mechanisms each, by their numbers, and other keys none") func candidates() {
        // CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS; CKM_ECDSA, CKM_ECDSA_SHA256
        #expect(Mechanism.candidates(keyType: 0).map(\.rawValue) == [0x40, 0x1])
        #expect(Mechanism.candidates(keyType: 3).map(\.rawValue) == [0x1041, 0x1044])
        #expect(Mechanism.candidates(keyType: 0x40).isEmpty && Mechanism.candidates(keyType: .max).isEmpty)
    }

    /// RFC 8017 §9.2, note 1, for SHA-256.
    @Test("A token that does not hash gets the hash, and for RSA the DigestInfo around it") func inputs() {
        let message: [UInt8] = [1, 2, 3]
        let digest = [UInt8](repeating: 0xAA, count: 32)
        let header: [UInt8] = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20,
        ]
        #expect(Mechanism.rsaPKCS.input(message: message, sha256: digest) == header + digest)
        #expect(Mechanism.ecdsa.input(message: message, sha256: digest) == digest)
        for mechanism in [Mechanism.sha256RSAPKCS, .ecdsaSHA256] {
            #expect(mechanism.input(message: message, sha256: digest) == message)
        }
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
