import PKCS11URI
import Testing
import TokenService
import X509

@testable import Identities

@Suite struct PublicKeyGuessTests {
    private static let p256: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]

    private static func key(
        _ half: PublicHalf, _ keyClass: KeyObject.Class = .privateKey, id: [UInt8] = [1], label: String = "client"
    ) -> KeyObject {
        KeyObject(
            keyClass: keyClass, id: id, label: Array(label.utf8), publicHalf: half, canSign: keyClass == .privateKey,
            alwaysAuthenticates: false)
    }

    private static let silent = key(.ec(parameters: p256, point: []))

    /// The P-256 key of the vectors' certificate, as a token shows it.
    private static func half() throws -> PublicHalf {
        guard case .ec(_, let point) = try Vectors.publicHalf("leaf") else { return .other(keyType: 0) }
        return .ec(parameters: p256, point: [0x04, UInt8(point.count)] + point)
    }

    private static func leaf() throws -> Certificate { try Certificate(der: CertificateObject("leaf").value) }

    private static func guesses(
        of key: KeyObject, beside keys: [KeyObject] = [], _ certificates: [CertificateObject] = []
    ) -> [PublicKeyInfo] {
        TokenSnapshot(flags: [], isLoggedIn: true, certificates: certificates, keys: [key] + keys).publicKeys(of: key)
    }

    @Test("The public key is the private key's own, its public key object's or its certificate's, which are one")
    func places() throws {
        let info = PublicKeyInfo(of: try Self.leaf())
        #expect(Self.guesses(of: Self.key(try Self.half())) == [info])
        #expect(Self.guesses(of: Self.silent, beside: [Self.key(try Self.half(), .publicKey)]) == [info])
        #expect(Self.guesses(of: Self.silent, [try CertificateObject("leaf", id: [1])]) == [info])
        let unnamed = Self.key(.ec(parameters: Self.p256, point: []), id: [])
        #expect(Self.guesses(of: unnamed, beside: [Self.key(try Self.half(), .publicKey)]) == [info])
    }

    @Test("What belongs to other keys is no guess")
    func others() throws {
        #expect(Self.guesses(of: Self.silent) == [])
        #expect(Self.guesses(of: Self.silent, beside: [Self.key(try Self.half(), .publicKey, id: [2])]) == [])
        #expect(Self.guesses(of: Self.silent, [try CertificateObject("leaf", id: [2])]) == [])
        // An RSA key has no certificate of an EC key, whatever its CKA_ID.
        let modulus = [UInt8](repeating: 0xC1, count: 256)
        let rsa = Self.key(.rsa(modulus: modulus, exponent: [1, 0, 1]))
        let own = try #require(PublicKeyInfo(modulus: modulus, exponent: [1, 0, 1]))
        #expect(Self.guesses(of: rsa, [try CertificateObject("leaf", id: [1])]) == [own])
        #expect(Self.guesses(of: Self.key(.rsa(modulus: modulus, exponent: []))) == [own])
        // A point that is not on the curve is none.
        let bad = [0x04] + [UInt8](repeating: 7, count: 64)
        #expect(Self.guesses(of: Self.key(.ec(parameters: Self.p256, point: bad))) == [])
    }

    @Test("Private keys are those that the URI means")
    func meant() throws {
        let other = Self.key(.ec(parameters: Self.p256, point: []), id: [2], label: "other")
        let token = TokenSnapshot(
            flags: [], isLoggedIn: true, certificates: [],
            keys: [Self.silent, other, Self.key(try Self.half(), .publicKey, id: [3])])
        #expect(token.privateKeys(meantBy: try PKCS11URI("pkcs11:object=client")) == [Self.silent])
        #expect(token.privateKeys(meantBy: try PKCS11URI("pkcs11:id=%02")) == [other])
        #expect(token.privateKeys(meantBy: try PKCS11URI("pkcs11:id=%03")) == [])
        #expect(token.privateKeys(meantBy: try PKCS11URI("pkcs11:")) == [Self.silent, other])
    }
}
