package import TokenService

/// A key pair that a token is to make: sign only, and never to leave it.
package struct KeyGeneration: Hashable, Sendable {
    package var token: TokenReference
    package var type: NewKeyType
    /// CKA_ID
    package var id: [UInt8]
    /// CKA_LABEL
    package var label: [UInt8]

    package init(token: TokenReference, type: NewKeyType, id: [UInt8], label: [UInt8]) {
        self.token = token
        self.type = type
        self.id = id
        self.label = label
    }
}

/// The types of key that are made here, which are those that Roles Anywhere and AWS IoT Core take.
package enum NewKeyType: UInt8, Hashable, Sendable, CaseIterable {
    case p256 = 1
    case p384 = 2
    case p521 = 3
    case rsa2048 = 4
    case rsa3072 = 5
    case rsa4096 = 6

    /// The word on the command line and the socket.
    package var word: String {
        switch self {
        case .p256: "ec:p256"
        case .p384: "ec:p384"
        case .p521: "ec:p521"
        case .rsa2048: "rsa:2048"
        case .rsa3072: "rsa:3072"
        case .rsa4096: "rsa:4096"
        }
    }

    package init?(word: String) {
        guard let type = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = type
    }

    /// In bits; nil for EC.
    package var modulusBits: UInt64? {
        switch self {
        case .p256, .p384, .p521: nil
        case .rsa2048: 2048
        case .rsa3072: 3072
        case .rsa4096: 4096
        }
    }

    /// DER of the curve's name, as CKA_EC_PARAMS has it (RFC 5480 §2.1.1.1); nil for RSA.
    package var curve: [UInt8]? {
        switch self {
        case .p256: [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        case .p384: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
        case .p521: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23]
        case .rsa2048, .rsa3072, .rsa4096: nil
        }
    }

    /// Whether this is the public half of such a key.
    package func isType(of half: PublicHalf) -> Bool {
        switch half {
        case .rsa(let modulus, _):
            guard let modulusBits else { return false }
            return UInt64(modulus.drop { $0 == 0 }.count) * 8 == modulusBits
        case .ec(let parameters, _): return parameters == curve
        case .other: return false
        }
    }
}

extension NewKeyType: WireValue {}

extension KeyGeneration: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(token, type, id, label) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            token: try reader.value(), type: try reader.value(), id: try reader.list(upTo: 255),
            label: try reader.list(upTo: 255))
    }
}
