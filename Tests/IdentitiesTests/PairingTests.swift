import Testing
import TokenService
import X509

@testable import Identities

@Suite struct PairingTests {
    /// One token, one certificate of a P-256 key, and what else lies there.
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var certificateID: [UInt8] = [1]
        var token: TokenFlags = []
        var isLoggedIn = false
        var keys: [KeyObject]
        var expected: Expected
    }

    enum Expected: Sendable {
        case seen(isConfirmed: Bool)
        case seenWithLabel(String)
        case publicHalf(isConfirmed: Bool)
        case hidden
        case dropped(DropReason)
    }

    @Test("A certificate is paired by CKA_ID and public key", arguments: cases)
    func pairs(_ test: Case) throws {
        let certificate = try CertificateObject("leaf", id: test.certificateID)
        let token = TokenSnapshot(
            flags: test.token, isLoggedIn: test.isLoggedIn, certificates: [certificate], keys: test.keys)
        let candidate = try #require(Inventory([token].present).candidates(at: now).first)
        switch test.expected {
        case .seen(let isConfirmed):
            #expect(candidate.reasons == [])
            #expect(candidate.key?.needsLogin == false)
            #expect(candidate.key?.isConfirmed == isConfirmed)
            #expect(candidate.hasKey)
        case .seenWithLabel(let label):
            #expect(candidate.reasons == [])
            guard case .seen(let key)? = candidate.key?.visibility else { return #expect(candidate.key != nil) }
            #expect(key.label == Array(label.utf8))
        case .publicHalf(let isConfirmed):
            #expect(candidate.reasons == [])
            #expect(candidate.key?.needsLogin == true)
            #expect(candidate.key?.isConfirmed == isConfirmed)
            #expect(candidate.hasKey)
        case .hidden:
            #expect(candidate.reasons == [.keyHidden])
            #expect(candidate.key?.needsLogin == true)
            #expect(candidate.isUsableAfterLogin)
            #expect(!candidate.hasKey)
        case .dropped(let reason):
            #expect(candidate.reasons == [reason])
            #expect(candidate.key == nil)
        }
    }

    /// The DER of secp384r1's object identifier (RFC 5480 §2.1.1.1).
    private static let p384: [UInt8] = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]

    static let cases: [Case] = {
        guard let same = try? Vectors.publicHalf("leaf"), let other = try? Vectors.publicHalf("leaf-tie"),
            let rsa = try? Vectors.publicHalf("key-rsa2048")
        else { return [] }
        return [
            Case(testDescription: "same id, same key", keys: [.privateKey(same)], expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "same id, silent key", keys: [.privateKey(silent)], expected: .seen(isConfirmed: false)
            ),
            Case(
                testDescription: "same id, silent key, public half the same",
                keys: [.privateKey(silent), .publicKey(same)],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "same id, silent key, public half another",
                keys: [.privateKey(silent), .publicKey(other)], expected: .dropped(.differentKey)),
            Case(
                testDescription: "same id, another key", keys: [.privateKey(other)], expected: .dropped(.differentKey)),
            Case(
                testDescription: "same id, a key of another type", keys: [.privateKey(rsa)],
                expected: .dropped(.differentKey)),
            Case(
                testDescription: "same id, a key of an unknown type", keys: [.privateKey(.other(keyType: 0x40))],
                expected: .dropped(.differentKey)),
            Case(
                testDescription: "two keys with the id, the second is it",
                keys: [.privateKey(other), .privateKey(same)],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "two keys with the id, the compared one wins",
                keys: [.privateKey(silent, label: "a"), .privateKey(same, label: "b")],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "a key that may not sign", keys: [.privateKey(same, canSign: false)],
                expected: .dropped(.keyCannotSign)),
            Case(testDescription: "no key", keys: [], expected: .dropped(.noKey)),
            Case(testDescription: "a public key alone", keys: [.publicKey(same)], expected: .dropped(.noKey)),
            Case(
                testDescription: "the key under another id", keys: [.privateKey(same, id: [2])],
                expected: .dropped(.differentID)),
            Case(
                testDescription: "another key under another id", keys: [.privateKey(other, id: [2])],
                expected: .dropped(.noKey)),
            Case(
                testDescription: "no id on the certificate, same key", certificateID: [],
                keys: [.privateKey(other, id: [1]), .privateKey(same, id: [2])], expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "no id on the certificate, silent key", certificateID: [],
                keys: [.privateKey(silent, id: [2])], expected: .dropped(.noKey)),
            Case(
                testDescription: "no id on the certificate, silent key with a public half", certificateID: [],
                keys: [.privateKey(silent, id: [2]), .publicKey(same, id: [2])], expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "no id on the key, same key", keys: [.privateKey(same, id: [])],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "no id on either, silent key", certificateID: [], keys: [.privateKey(silent, id: [])],
                expected: .dropped(.noKey)),
            Case(
                testDescription: "no id on either, another key", certificateID: [], keys: [.privateKey(other, id: [])],
                expected: .dropped(.noKey)),
            Case(
                testDescription: "no id on either, a public half with the key's label", certificateID: [],
                keys: [.privateKey(silent, id: [], label: "a"), .publicKey(same, id: [], label: "a")],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "no id on the key, a public half with its label",
                keys: [.privateKey(silent, id: [], label: "a"), .publicKey(same, id: [], label: "a")],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "no id on the key, a public half with its label and the id",
                keys: [
                    .privateKey(silent, id: [], label: "a"), .publicKey(same, id: [1], label: "a"),
                    .privateKey(silent, id: [], label: "b"), .publicKey(other, id: [2], label: "b"),
                ],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "no id on either, the only two keys", certificateID: [],
                keys: [.privateKey(silent, id: [], label: "a"), .publicKey(same, id: [], label: "b")],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "no id on either, two keys and no label that tells", certificateID: [],
                keys: [
                    .privateKey(silent, id: [], label: "a"), .privateKey(silent, id: [], label: "b"),
                    .publicKey(same, id: [], label: "c"),
                ], expected: .dropped(.noKey)),
            Case(
                testDescription: "no id on the public half, which has the key's label",
                keys: [
                    .privateKey(silent, label: "a"), .publicKey(same, id: [], label: "a"),
                    .publicKey(other, id: [], label: "b"),
                ], expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "two silent keys with the id, the label of the public half tells",
                keys: [
                    .privateKey(silent, label: "a"), .privateKey(silent, label: "b"), .publicKey(other, label: "a"),
                    .publicKey(same, label: "b"),
                ], expected: .seenWithLabel("b")),
            Case(
                testDescription: "two silent keys with the id, the old public half gone",
                keys: [
                    .privateKey(silent, label: "a"), .privateKey(silent, label: "b"), .publicKey(same, label: "b"),
                ], expected: .seenWithLabel("b")),
            Case(
                testDescription: "two silent keys with the id and one label",
                keys: [.privateKey(silent), .privateKey(silent), .publicKey(other), .publicKey(same)],
                expected: .dropped(.ambiguousKey)),
            Case(
                testDescription: "two silent keys with the id and no public half",
                keys: [.privateKey(silent, label: "a"), .privateKey(silent, label: "b")],
                expected: .dropped(.ambiguousKey)),
            Case(
                testDescription: "two silent keys with the id, one of which may not sign",
                keys: [.privateKey(silent), .privateKey(silent, canSign: false), .publicKey(same)],
                expected: .seen(isConfirmed: false)),
            Case(
                testDescription: "a silent key with the id, and one that shows its public half",
                keys: [.privateKey(silent, label: "a"), .privateKey(same, label: "b")],
                expected: .seenWithLabel("b")),
            Case(
                testDescription: "two objects of one key that shows its public half",
                keys: [.privateKey(same, label: "a"), .privateKey(same, label: "b")],
                expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "a silent key of another curve",
                keys: [.privateKey(.ec(parameters: p384, point: []))], expected: .dropped(.differentKey)),
            Case(
                testDescription: "two silent keys with the id, one of another curve",
                keys: [.privateKey(.ec(parameters: p384, point: []), label: "a"), .privateKey(silent, label: "b")],
                expected: .seenWithLabel("b")),
            Case(
                testDescription: "a silent key under another id, with its public half",
                keys: [.privateKey(silent, id: [2]), .publicKey(same, id: [2])], expected: .dropped(.differentID)),
            Case(
                testDescription: "more keys with the id than are compared",
                keys: Array(repeating: .privateKey(silent), count: 65), expected: .dropped(.ambiguousKey)),
            Case(
                testDescription: "more public halves with the id than are compared",
                keys: Array(repeating: .publicKey(other), count: 65), expected: .dropped(.tooManyKeys)),
            Case(
                testDescription: "before login, a public half without an id", token: .loginRequired,
                keys: [.publicKey(same, id: [])], expected: .publicHalf(isConfirmed: true)),
            Case(
                testDescription: "before login, two public halves with the id", token: .loginRequired,
                keys: [.publicKey(other, label: "a"), .publicKey(same, label: "b")],
                expected: .publicHalf(isConfirmed: true)),
            Case(
                testDescription: "before login, nothing seen", token: .loginRequired, keys: [], expected: .hidden),
            Case(
                testDescription: "before login, a public half", token: .loginRequired, keys: [.publicKey(same)],
                expected: .publicHalf(isConfirmed: true)),
            Case(
                testDescription: "before login, a silent public half", token: .loginRequired,
                keys: [.publicKey(silent)],
                expected: .publicHalf(isConfirmed: false)),
            Case(
                testDescription: "before login, another public half", token: .loginRequired, keys: [.publicKey(other)],
                expected: .dropped(.differentKey)),
            Case(
                testDescription: "before login, a public half of another id", token: .loginRequired,
                keys: [.publicKey(same, id: [2])], expected: .hidden),
            Case(
                testDescription: "before login, a private key that anyone sees", token: .loginRequired,
                keys: [.privateKey(same)], expected: .seen(isConfirmed: true)),
            Case(
                testDescription: "after login, nothing seen", token: .loginRequired, isLoggedIn: true, keys: [],
                expected: .dropped(.noKey)),
            Case(
                testDescription: "after login, the key", token: .loginRequired, isLoggedIn: true,
                keys: [.publicKey(same), .privateKey(silent)], expected: .seen(isConfirmed: true)),
        ]
    }()

    @Test("There are cases") func casesAreThere() { #expect(Self.cases.count == 48) }

    @Test(
        "A token's way to write a public key does not matter",
        arguments: ["leaf", "leaf-tie", "key-secp384r1", "key-secp521r1"])
    func pointEncodings(_ name: String) throws {
        guard case .ec(_, let point) = try Vectors.publicHalf(name) else { return }
        let key = try Vectors.certificate(name).publicKey
        let width = (point.count - 1) / 2
        let isOdd = point.last.map { $0 & 1 == 1 } ?? false
        let compressed = [isOdd ? 3 : 2] + point[1...width]
        let header: [UInt8] = point.count < 128 ? [4, UInt8(point.count)] : [4, 0x81, UInt8(point.count)]
        for written in [point, header + point, compressed, [4, UInt8(compressed.count)] + compressed] {
            #expect(PublicHalf.ec(parameters: [], point: written).compared(with: key) == .same)
            var changed = written
            changed[written.count / 2] ^= 1
            #expect(PublicHalf.ec(parameters: [], point: changed).compared(with: key) == .different)
        }
        #expect(PublicHalf.ec(parameters: [], point: point + [0]).compared(with: key) == .unknown)
        #expect(PublicHalf.ec(parameters: [], point: Array(point.dropFirst())).compared(with: key) == .unknown)
        #expect(PublicHalf.ec(parameters: [], point: []).compared(with: key) == .unknown)
    }

    @Test("RSA keys are compared as numbers")
    func rsa() throws {
        guard case .rsa(let modulus, let exponent) = try Vectors.publicHalf("key-rsa2048") else { return }
        let key = try Vectors.certificate("key-rsa2048").publicKey
        let rows: [([UInt8], [UInt8], KeyComparison)] = [
            (modulus, exponent, .same), ([0] + modulus, [0, 0] + exponent, .same), (modulus, [], .same),
            (modulus, [3], .different), (Array(modulus.dropLast()), exponent, .different), ([], exponent, .unknown),
            (modulus + [0], exponent, .different),
        ]
        for (modulus, exponent, expected) in rows {
            #expect(PublicHalf.rsa(modulus: modulus, exponent: exponent).compared(with: key) == expected)
        }
    }
}
