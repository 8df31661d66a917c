import COpenSSL
import X509

// What a key must be, looked at before OpenSSL works with its numbers: an odd file could ask for hours of arithmetic.
extension FilePrivateKey {
    static func rsaPublicKey(_ key: OpaquePointer) throws(KeyFileError) -> PublicKey {
        let bits = Int(unsafe EVP_PKEY_get_bits(key))
        guard rsaSizes.contains(bits) else { throw .rsaSize(bits: bits) }
        guard unsafe number("rsa-factor3", of: key) == nil else {
            throw .unsuitableKey("RSA with more than two primes")
        }
        guard let modulus = unsafe number(OSSL_PKEY_PARAM_RSA_N, of: key),
            let exponent = unsafe number(OSSL_PKEY_PARAM_RSA_E, of: key)
        else { throw .inconsistentKey }
        for prime in ["rsa-factor1", "rsa-factor2"] {
            // Proving a number of the modulus' own length prime would take seconds.
            guard let prime = unsafe number(prime, of: key),
                unsafe prime.use({ unsafe BN_num_bits($0) }) <= bits / 2 + 64
            else { throw .inconsistentKey }
        }
        return .rsa(modulus: bigEndianBytes(modulus), exponent: bigEndianBytes(exponent))
    }

    static func ecPublicKey(_ key: OpaquePointer) throws(KeyFileError) -> PublicKey {
        var isExplicit: Int32 = 0
        unsafe EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &isExplicit)
        guard isExplicit == 0 else { throw .explicitCurve }
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard
            unsafe EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, &name, name.count, &length) == 1,
            length < name.count
        else { throw .explicitCurve }
        let curve: PublicKey.Curve
        switch String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) {
        case SN_X9_62_prime256v1: curve = .p256
        case SN_secp384r1: curve = .p384
        case SN_secp521r1: curve = .p521
        case let other: throw .unsuitableKey("EC on \(other)")
        }
        let width = (Int(unsafe EVP_PKEY_get_bits(key)) + 7) / 8
        guard let x = unsafe number(OSSL_PKEY_PARAM_EC_PUB_X, of: key),
            let y = unsafe number(OSSL_PKEY_PARAM_EC_PUB_Y, of: key)
        else { throw .inconsistentKey }
        return .ec(curve, point: [0x04] + bigEndianBytes(x, width: width) + bigEndianBytes(y, width: width))
    }

    /// That the private numbers are those of the public half: RFC 8017 §3.2 with primes that are prime; NIST SP 800-56A §5.6.2.1
    /// for EC.
    static func check(_ key: OpaquePointer) throws(KeyFileError) {
        guard
            let context = unsafe Owned(
                EVP_PKEY_CTX_new_from_pkey(nil, key, nil), freedBy: { unsafe EVP_PKEY_CTX_free($0) })
        else { throw .noMemory }
        guard unsafe context.use({ unsafe EVP_PKEY_check($0) }) == 1 else { throw .inconsistentKey }
    }

    /// Nil where the key has none of this name.
    private static func number(_ name: String, of key: OpaquePointer) -> Owned? {
        var number: OpaquePointer?
        unsafe EVP_PKEY_get_bn_param(key, name, &number)
        return unsafe Owned(number, freedBy: { unsafe BN_clear_free($0) })
    }
}
