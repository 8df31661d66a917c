import COpenSSL

/// scrypt, for recognising a secret without keeping it.
package enum KeyDerivation {
    /// RFC 7914 with N = 16384, r = 8, p = 1: some 50 ms and 16 MiB, on purpose.
    package static func scrypt(_ secret: UnsafeRawBufferPointer, salt: [UInt8], length: Int) -> [UInt8]? {
        var key = [UInt8](repeating: 0, count: length)
        let isDone = unsafe EVP_PBE_scrypt(
            secret.assumingMemoryBound(to: CChar.self).baseAddress, secret.count, salt, salt.count, 16_384, 8, 1,
            64 << 20, &key, length)
        ERR_clear_error()
        return isDone == 1 ? key : nil
    }
}
