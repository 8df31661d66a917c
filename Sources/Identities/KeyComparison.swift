package import TokenService
package import X509

/// Whether a key object on a token is the key of a certificate, by the attributes that the token shows of it.
package enum KeyComparison {
    case same
    case different
    /// The token shows too few attributes.
    case unknown
}

extension PublicHalf {
    package func compared(with key: PublicKey) -> KeyComparison {
        guard canBe(key) else { return .different }
        guard let value else { return .unknown }
        return key.values.contains(value) ? .same : .different
    }

    /// False where the key's type or its curve is another one.
    func canBe(_ key: PublicKey) -> Bool {
        switch (self, key) {
        case (.rsa, .rsa): true
        case (.ec(let parameters, _), .ec(let curve, _)):
            // A curve that is spelled out, or none at all, says nothing that could be compared.
            parameters.first != 0x06 || curve.parameters.map { $0 == parameters } ?? true
        default: false
        }
    }
}

extension PublicKey {
    /// The attributes that a token can show of the key; none if no value is known of its kind.
    var values: [PublicKeyValue] {
        switch self {
        case .rsa(let modulus, let exponent):
            PublicKeyValue(modulus: modulus, exponent: exponent).map { [$0, $0.withoutExponent] } ?? []
        case .ec(_, let point): PublicKeyValue(point: point).map { [$0] } ?? []
        case .other: []
        }
    }
}

extension PublicKey.Curve {
    /// CKA_EC_PARAMS of a token that names its curves: the DER of the object identifier (RFC 5480 §2.1.1.1); nil where
    /// it is not known.
    package var parameters: [UInt8]? {
        switch self {
        case .p256: [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        case .p384: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
        case .p521: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23]
        case .other: nil
        }
    }
}
