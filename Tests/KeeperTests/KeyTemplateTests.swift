import KeeperService
import PKCS11
import PKCS11Management
import PKCS11URI
import Testing
import TokenService

@testable import Keeper

@Suite("The templates of a key pair")
struct KeyTemplateTests {
    static func generation(_ type: NewKeyType) -> KeyGeneration {
        let token = TokenDescription(label: [1], manufacturer: [], model: [], serial: [])
        return KeyGeneration(token: TokenReference(slotID: 0, token: token), type: type, id: [0x4A], label: [0x6D])
    }

    private static func template(_ flags: [(Attribute, Bool)], _ type: NewKeyType, number: UInt64) -> ObjectTemplate {
        var template = ObjectTemplate()
        template.set(.keyType, type.modulusBits == nil ? 3 as UInt64 : 0)  // CKK_EC, CKK_RSA
        template.set(.onToken, true)
        template.set(.id, [0x4A])
        template.set(.label, [0x6D])
        template.set(.objectClass, number)
        for (attribute, flag) in flags { template.set(attribute, flag) }
        return template
    }

    @Test("A private key signs, does nothing else, and cannot leave the token", arguments: NewKeyType.allCases)
    func privateKey(type: NewKeyType) {
        let flags: [(Attribute, Bool)] = [
            (.isPrivate, true), (.sensitive, true), (.sign, true), (.extractable, false), (.decrypt, false),
            (.unwrap, false), (.derive, false), (.signRecover, false),
        ]
        #expect(Self.generation(type).privateTemplate == Self.template(flags, type, number: 3))  // CKO_PRIVATE_KEY
    }

    @Test(
        "A public key verifies and is seen without a login",
        arguments: [
            // RFC 5480 §2.1.1.1, as DER of an OBJECT IDENTIFIER.
            (NewKeyType.p256, [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07] as [UInt8]),
            (.p384, [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]), (.p521, [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23]),
            (.rsa2048, []), (.rsa3072, []), (.rsa4096, []),
        ])
    func publicKey(type: NewKeyType, curve: [UInt8]) {
        let flags: [(Attribute, Bool)] = [
            (.verify, true), (.isPrivate, false), (.encrypt, false), (.wrap, false), (.verifyRecover, false),
        ]
        var expected = Self.template(flags, type, number: 2)  // CKO_PUBLIC_KEY
        if curve.isEmpty {
            expected.set(.modulusBits, [.rsa2048: 2048, .rsa3072: 3072, .rsa4096: 4096][type] ?? 0)
            expected.set(.publicExponent, [0x01, 0x00, 0x01])
        } else {
            expected.set(.ecParameters, curve)
        }
        #expect(Self.generation(type).publicTemplate == expected)
    }

    @Test("A public half of another type is not taken for the key that was asked for")
    func types() {
        let curve = NewKeyType.p256.curve ?? []
        #expect(NewKeyType.p256.isType(of: .ec(parameters: curve, point: [])))
        #expect(!NewKeyType.p384.isType(of: .ec(parameters: curve, point: [])))
        #expect(!NewKeyType.rsa2048.isType(of: .ec(parameters: curve, point: [])))
        let modulus = [0x00, 0x80] + [UInt8](repeating: 1, count: 255)
        #expect(NewKeyType.rsa2048.isType(of: .rsa(modulus: modulus, exponent: [])))
        #expect(!NewKeyType.rsa3072.isType(of: .rsa(modulus: modulus, exponent: [])))
        #expect(!NewKeyType.p256.isType(of: .other(keyType: 0)))
    }
}

@Suite("A keeper's words for errors")
struct KeeperFailureTests {
    @Test(
        "Codes of calls that change a token are told apart",
        // PKCS#11 2.40, pkcs11t.h
        arguments: [
            (0xB5, .readOnly), (0xE2, .readOnly), (0x31, .full), (0x02, .full), (0x70, .unsupported),
            (0x54, .unsupported), (0x12, .unsupported), (0xD0, .unsupported), (0x103, .otherUser),
            (0x101, .notLoggedIn), (0x32, .tokenGone), (0x05, .function), (0x8000_0001, .function),
        ] as [(UInt, KeeperFailure.Kind)])
    func kinds(code: UInt, kind: KeeperFailure.Kind) {
        let error = PKCS11Error.failed(.generateKeyPair, ReturnValue(rawValue: code))
        #expect(KeeperFailure(error).kind == kind)
        #expect(KeeperFailure(error).text.hasPrefix("C_GenerateKeyPair answered "))
    }

    @Test("A token that is in no slot is gone") func gone() {
        #expect(KeeperFailure(.notFound(.token)).kind == .tokenGone)
    }
}
