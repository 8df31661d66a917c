import COpenSSL

/// The key that a certificate speaks for.
package enum PublicKey: Hashable, Sendable {
    /// Unsigned big-endian, without leading zeros (RFC 8017 §3.1).
    case rsa(modulus: [UInt8], exponent: [UInt8])
    /// The uncompressed point: 4, x, y (SEC 1 §2.3.3).
    case ec(Curve, point: [UInt8])
    /// Another algorithm, by OpenSSL's name for it, or one of these two in a form that cannot be read.
    case other(String)

    package enum Curve: Hashable, Sendable {
        case p256
        case p384
        case p521
        /// Another curve, by its object identifier in dotted decimal.
        case other(String)
    }
}

extension PublicKey: CustomStringConvertible {
    /// Its name for people: `RSA 2048`, `EC P-256`, `ED25519`.
    package var description: String {
        switch self {
        case .rsa(let modulus, _): "RSA \(Self.bits(modulus))"
        case .ec(let curve, _): "EC \(curve)"
        case .other(let name): name
        }
    }

    /// The size of an RSA modulus in bits.
    package static func bits(_ modulus: [UInt8]) -> Int {
        let significant = modulus.drop { $0 == 0 }
        return significant.count * 8 - (significant.first?.leadingZeroBitCount ?? 0)
    }
}

extension PublicKey.Curve: CustomStringConvertible {
    /// A curve by its object identifier in dotted decimal (RFC 5480 §2.1.1.1).
    init(identifier: String) {
        self =
            switch identifier {
            case "1.2.840.10045.3.1.7": .p256
            case "1.3.132.0.34": .p384
            case "1.3.132.0.35": .p521
            default: .other(identifier)
            }
    }

    package var description: String {
        switch self {
        case .p256: "P-256"
        case .p384: "P-384"
        case .p521: "P-521"
        case .other(let identifier): identifier
        }
    }
}

extension PublicKey {
    /// Reads an `X509_PUBKEY`.
    init(info: OpaquePointer?) {
        var identifier: OpaquePointer?
        var algorithm: UnsafeMutablePointer<X509_ALGOR>?
        unsafe X509_PUBKEY_get0_param(&identifier, nil, nil, &algorithm, info)
        let name = unsafe OBJ_nid2sn(OBJ_obj2nid(identifier)).map { unsafe String(cString: $0) } ?? ""
        let unreadable = Self.other("an unreadable key (\(name))")
        guard let key = unsafe X509_PUBKEY_get0(info) else {
            self = unreadable
            return
        }
        self =
            switch unsafe EVP_PKEY_get_base_id(key) {
            case EVP_PKEY_RSA: unsafe Self.rsa(key) ?? unreadable
            case EVP_PKEY_EC: unsafe Self.ec(key, algorithm) ?? unreadable
            default: .other(name)
            }
    }

    private static func rsa(_ key: OpaquePointer) -> Self? {
        guard let modulus = unsafe number("n", of: key), let exponent = unsafe number("e", of: key) else { return nil }
        return .rsa(modulus: bigEndianBytes(modulus), exponent: bigEndianBytes(exponent))
    }

    private static func ec(_ key: OpaquePointer, _ algorithm: UnsafeMutablePointer<X509_ALGOR>?) -> Self? {
        var curve: UnsafeRawPointer?
        var type: Int32 = 0
        unsafe X509_ALGOR_get0(nil, &type, &curve, algorithm)
        // RFC 5480 §2.1.1 wants the curve by name. One that is spelled out could be anything that looks like a known one.
        guard type == V_ASN1_OBJECT else { return .other("an EC key with explicit curve parameters") }
        guard let curve = unsafe curve, let x = unsafe number("qx", of: key), let y = unsafe number("qy", of: key)
        else { return nil }
        let width = (Int(unsafe EVP_PKEY_get_bits(key)) + 7) / 8
        let point = [0x04] + bigEndianBytes(x, width: width) + bigEndianBytes(y, width: width)
        return .ec(Curve(identifier: unsafe dottedText(OpaquePointer(curve))), point: point)
    }

    private static func number(_ name: String, of key: OpaquePointer) -> Owned? {
        var number: OpaquePointer?
        unsafe EVP_PKEY_get_bn_param(key, name, &number)
        return unsafe Owned(number, freedBy: { unsafe BN_free($0) })
    }
}
