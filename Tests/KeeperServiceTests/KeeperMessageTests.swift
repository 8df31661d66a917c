import KeeperService
import PKCS11URI
import Testing
import TokenService

@Suite("The messages between agent and keeper")
struct KeeperMessageTests {
    static let token = TokenReference(
        slotID: 7, token: TokenDescription(label: [0x63], manufacturer: [], model: [], serial: [0x31]))

    static let requests: [KeeperRequest] =
        NewKeyType.allCases.map {
            .generateKey(KeyGeneration(token: token, type: $0, id: [1, 0xFF], label: [0xC3, 0xA9]))
        }
        + [
            .readKey(KeySelection(token: token, id: nil, label: nil)),
            .readKey(KeySelection(token: token, id: [], label: [1])),
            .destroyKey(KeySelection(token: token, id: [1], label: nil)),
            .importKey(KeyImport(token: token, id: [1], label: [0x6B])),
            .installCertificates(
                CertificateInstallation(token: token, id: [1], label: [0x6B], certificates: [[0x30], [0x30, 0]])),
            .removeCertificates(CertificateRemoval(token: token, certificates: [[0x30]])),
        ]
        + KeyFileOpening.Password.allCases.map {
            .openKeyFile(KeyFileOpening(content: [0x30, 0x00], password: $0))
        }

    static let replies: [KeeperReply] =
        KeeperFailure.Kind.allCases.map {
            .failed(KeeperFailure($0, "C_GenerateKeyPair answered 0x1", remains: "half"))
        }
        + [
            .failed(KeeperFailure(.full, "")), .certificates(CertificateChanges(certificates: [[0x30], []])),
            .certificates(CertificateChanges(certificates: [])),
            .keyFile(KeyFileReport(keyType: "EC P-256", certificate: nil, intermediates: [], leftOut: 0)),
            .keyFile(KeyFileReport(keyType: "RSA 2048", certificate: [0x30], intermediates: [[1], [2]], leftOut: 1)),
            .key(KeyReport(id: [1], label: [], publicHalf: .ec(parameters: [6], point: [4]))),
            .destroyed(
                KeyReport(
                    id: [], label: [1], publicHalf: .rsa(modulus: [1], exponent: [3]), isLocal: true,
                    isSensitive: false,
                    isAlwaysSensitive: true, isExtractable: false, isNeverExtractable: true, canSign: false,
                    otherUses: KeyReport.Use.allCases, alwaysAuthenticates: true, hasPrivateKey: false,
                    hasPublicKey: true)),
        ]

    @Test("A request arrives as it was sent", arguments: requests)
    func requestArrives(request: KeeperRequest) throws {
        #expect(try KeeperRequest(request.bytes) == request)
    }

    @Test("A reply arrives as it was sent", arguments: replies)
    func replyArrives(reply: KeeperReply) throws {
        #expect(try KeeperReply(reply.bytes) == reply)
    }

    @Test("Bytes that are cut off, or go on, are no message")
    func otherBytes() throws {
        for bytes in Self.requests.map(\.bytes) {
            for count in 0..<bytes.count {
                #expect(throws: WireError.self) { try KeeperRequest(Array(bytes.prefix(count))) }
            }
            #expect(throws: WireError.self) { try KeeperRequest(bytes + [0]) }
        }
        for bytes in Self.replies.map(\.bytes) {
            for count in 0..<bytes.count {
                #expect(throws: WireError.self) { try KeeperReply(Array(bytes.prefix(count))) }
            }
            #expect(throws: WireError.self) { try KeeperReply(bytes + [0]) }
        }
    }

    @Test("Whatever a byte of a message is changed to, it is another message or none")
    func changedBytes() throws {
        for bytes in Self.requests.map(\.bytes) + Self.replies.map(\.bytes) {
            for index in bytes.indices {
                for byte: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                    var changed = bytes
                    changed[index] = byte
                    if let request = try? KeeperRequest(changed) { #expect(request.bytes == changed) }
                    if let reply = try? KeeperReply(changed) { #expect(reply.bytes == changed) }
                }
            }
        }
    }

    @Test("What makes changes is told from what reads")
    func changes() {
        for request in Self.requests {
            switch request {
            case .readKey, .openKeyFile: #expect(!request.makesChanges)
            case .generateKey, .destroyKey, .importKey, .installCertificates, .removeCertificates:
                #expect(request.makesChanges)
            }
        }
    }

    @Test("A type's word is read as it is written, and no other is a type")
    func words() {
        for type in NewKeyType.allCases { #expect(NewKeyType(word: type.word) == type) }
        for word in ["", "ec", "rsa:1024", "EC:P256", "ec:p256 "] { #expect(NewKeyType(word: word) == nil) }
    }
}
