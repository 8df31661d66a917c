/// An alert that ends a TLS connection, by its number (RFC 8446 §6, RFC 5246 §7.2).
package struct TLSAlert: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let handshakeFailure = Self(rawValue: 40)
    package static let certificateRevoked = Self(rawValue: 44)
    package static let certificateExpired = Self(rawValue: 45)
    package static let unknownCA = Self(rawValue: 48)
    package static let accessDenied = Self(rawValue: 49)
    package static let decryptError = Self(rawValue: 51)
    package static let protocolVersion = Self(rawValue: 70)

    private static let names: [UInt8: String] = [
        10: "unexpected message", 20: "bad record mac", 22: "record overflow", 40: "handshake failure",
        42: "bad certificate", 43: "unsupported certificate", 44: "certificate revoked", 45: "certificate expired",
        46: "certificate unknown", 47: "illegal parameter", 48: "unknown ca", 49: "access denied", 50: "decode error",
        51: "decrypt error", 70: "protocol version", 71: "insufficient security", 80: "internal error",
        116: "certificate required", 120: "no application protocol",
    ]

    /// The RFC's word for it.
    package var description: String { Self.names[rawValue] ?? "number \(rawValue)" }

    /// Whether it judges the client's certificate, or the signature that goes with it.
    var isAboutCertificate: Bool { (42...51).contains(rawValue) && ![47, 50].contains(rawValue) || rawValue == 116 }

    /// The remedy of a refused certificate.
    var hint: String {
        switch self {
        case .certificateRevoked: "the certificate is revoked there: activate it, or have another one issued"
        case .certificateExpired: "check the clocks of both sides; have the certificate issued anew if it is over"
        case .unknownCA: "register the certificate, or the authority that issued it, there"
        case .accessDenied: "the certificate is known there, and may not do this: check its policy"
        case .decryptError: "the certificate that is registered there may have another key: register this one"
        default: "check that the certificate is registered and active there, and that its key is the one that signed"
        }
    }
}
