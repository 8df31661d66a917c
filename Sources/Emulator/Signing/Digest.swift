import COpenSSL

/// SHA-256 and HMAC.
enum Digest {
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe SHA256(bytes, bytes.count, &digest)
        return digest
    }

    /// - Parameter length: Of the hash, in bytes.
    static func hmac(key: [UInt8], _ message: [UInt8], hash: String = "SHA256", length: Int = 32) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: length)
        var written = 0
        unsafe EVP_Q_mac(
            nil, "HMAC", nil, hash, nil, key, key.count, message, message.count, &code, code.count, &written)
        return code
    }

    /// Compares in a time that does not depend on where two values of one length differ.
    static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        unsafe one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
