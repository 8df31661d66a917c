import HTTPTransport
import SignatureSchemes
import Testing

@Suite("What a TLS client may be asked to sign")
struct HandshakeSignatureTests {
    private static let head = [UInt8](repeating: 0x20, count: 64)
    private static func content(_ context: String, _ hash: Int, blanks: [UInt8] = head) -> [UInt8] {
        blanks + Array(context.utf8) + [0] + [UInt8](repeating: 0xAB, count: hash)
    }
    /// A handshake message of a type: 1 is ClientHello, 11 Certificate, 16 ClientKeyExchange (RFC 5246 §7.4).
    private static func message(_ type: UInt8, _ length: Int = 300) -> [UInt8] {
        [type, 0, UInt8(length >> 8), UInt8(length & 255)] + [UInt8](repeating: 7, count: length)
    }

    private func isTaken(_ algorithm: SignatureScheme.Algorithm, _ message: [UInt8]) -> Bool {
        HandshakeSignature(scheme: SignatureScheme(algorithm, .sha256), message: message) != nil
    }

    @Test("TLS 1.3: the client's context string and a hash, by ECDSA or RSA-PSS") func modern() {
        let client = "TLS 1.3, client CertificateVerify"
        for hash in [32, 48] {
            #expect(isTaken(.ecdsa, Self.content(client, hash)) && isTaken(.rsaPSS, Self.content(client, hash)))
            #expect(!isTaken(.rsaPKCS1, Self.content(client, hash)))
        }
        for length in [0, 20, 31, 33, 64] { #expect(!isTaken(.ecdsa, Self.content(client, length))) }
        #expect(!isTaken(.ecdsa, Self.content("TLS 1.3, server CertificateVerify", 32)))
        #expect(!isTaken(.ecdsa, Self.content(client, 32, blanks: Array(Self.head.dropLast()))))
    }

    @Test("TLS 1.2: whole handshake messages from ClientHello to ClientKeyExchange") func old() {
        let messages = Self.message(1) + Self.message(2) + Self.message(11, 900) + Self.message(14, 0)
        let whole = messages + Self.message(16, 66)
        for algorithm in SignatureScheme.Algorithm.allCases { #expect(isTaken(algorithm, whole)) }
        for odd in [
            [], [1], messages, Array(whole.dropLast()), whole + [0], Array(whole.dropFirst()), Self.message(16),
            Self.message(2) + Self.message(16), Array("AWS4-X509-ECDSA-SHA256\n20261127T000000Z\n".utf8),
        ] as [[UInt8]] {
            for algorithm in SignatureScheme.Algorithm.allCases { #expect(!isTaken(algorithm, odd)) }
        }
    }

    @Test("A handshake that is longer than a token can be given is not taken") func long() {
        let certificates = Self.message(1) + Self.message(11, 60_000)
        #expect(isTaken(.ecdsa, certificates + Self.message(16, 66)))
        #expect(!isTaken(.ecdsa, certificates + Self.message(13, 60_000) + Self.message(16, 66)))
    }
}
