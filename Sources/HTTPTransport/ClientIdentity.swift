package import SignatureSchemes

/// A client's certificate, and a key that may be anywhere.
package struct ClientIdentity: Sendable {
    /// DER: the client's own, then those that lead to its root.
    let chain: [[UInt8]]
    /// Signs once, in the task that sends; what it throws is what sending throws.
    let sign: @Sendable (HandshakeSignature) async throws -> [UInt8]

    package init(chain: [[UInt8]], sign: @escaping @Sendable (HandshakeSignature) async throws -> [UInt8]) {
        self.chain = chain
        self.sign = sign
    }
}

/// What a TLS client signs to prove that it has its certificate's key (CertificateVerify), and nothing else.
package struct HandshakeSignature: Hashable, Sendable {
    package let scheme: SignatureScheme
    /// Not hashed.
    package let message: [UInt8]

    /// The longest handshake, in bytes: a token that hashes by itself gets it whole.
    static let longest = 96 << 10

    /// Nil for a message that is not the content of a client's CertificateVerify, for one that is too long, and for a scheme
    /// that has no place in its version of TLS: nothing else shall ever be signed on the word of a TLS library.
    package init?(scheme: SignatureScheme, message: [UInt8]) {
        guard message.count <= Self.longest else { return nil }
        guard Self.isOfTLS13(message, scheme) || Self.isOfTLS12(message) else { return nil }
        self.scheme = scheme
        self.message = message
    }

    /// 64 blanks, the context string, a zero, and the hash of the handshake (RFC 8446 §4.4.3).
    private static func isOfTLS13(_ message: [UInt8], _ scheme: SignatureScheme) -> Bool {
        let head = [UInt8](repeating: 0x20, count: 64) + Array("TLS 1.3, client CertificateVerify".utf8) + [0]
        return scheme.algorithm != .rsaPKCS1 && message.starts(with: head)
            && [32, 48].contains(message.count - head.count)
    }

    /// Every handshake message from ClientHello to ClientKeyExchange (RFC 5246 §7.4.8), each with a type and a length of
    /// three bytes.
    private static func isOfTLS12(_ message: [UInt8]) -> Bool {
        let (clientHello, clientKeyExchange) = (1 as UInt8, 16 as UInt8)
        var types: [UInt8] = []
        var rest = message[...]
        while rest.count >= 4 {
            let header = rest.prefix(4)
            let length = header.dropFirst().reduce(0) { $0 << 8 | Int($1) }
            types.append(header[header.startIndex])
            guard rest.count - 4 >= length else { return false }
            rest = rest.dropFirst(4 + length)
        }
        return rest.isEmpty && types.count > 2 && types.first == clientHello && types.last == clientKeyExchange
    }
}
