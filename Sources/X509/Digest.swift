import COpenSSL
package import SignatureSchemes

/// SHA-256, HMAC and scrypt.
package enum Digest {
    /// SHA-256 (FIPS 180-4): 32 bytes.
    package static func sha256(_ message: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, initialized in
            initialized = unsafe SHA256(message, message.count, buffer.baseAddress) == nil ? 0 : 32
        }
    }

    /// The hash that goes under a signature (FIPS 180-4), as long as `Hash.length` says; empty where libcrypto has no memory.
    package static func hash(_ message: [UInt8], _ hash: SignatureScheme.Hash) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: hash.length) { buffer, initialized in
            let code = unsafe EVP_Digest(message, message.count, buffer.baseAddress, nil, hash.digest, nil)
            initialized = code == 1 ? hash.length : 0
        }
    }

    /// HMAC (RFC 2104) with SHA-256: 32 bytes.
    package static func hmac(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, initialized in
            let code = unsafe HMAC(
                EVP_sha256(), key, Int32(key.count), message, message.count, buffer.baseAddress, nil)
            initialized = unsafe code == nil ? 0 : 32
        }
    }

    /// The same with a key that stays where it is, into a buffer of at least 32 bytes.
    ///
    /// - Returns: 32; or 0 where libcrypto has no memory.
    package static func hmac(key: Span<UInt8>, _ message: [UInt8], into buffer: UnsafeMutableRawBufferPointer) -> Int {
        precondition(buffer.count >= 32)
        return unsafe key.withUnsafeBytes { key in
            let output = unsafe buffer.assumingMemoryBound(to: UInt8.self).baseAddress
            let code = unsafe HMAC(
                EVP_sha256(), key.baseAddress, Int32(key.count), message, message.count, output, nil)
            return unsafe code == nil ? 0 : 32
        }
    }

    /// The cost of one scrypt: `128 · blockSize · rounds` bytes of memory, for as long as it takes to fill them.
    package struct ScryptCost: Hashable, Sendable {
        /// N: a power of two above 1.
        package var rounds: UInt64
        /// r
        package var blockSize: UInt64
        /// p
        package var parallelism: UInt64

        package init(rounds: UInt64, blockSize: UInt64, parallelism: UInt64) {
            self.rounds = rounds
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// 32 MiB and some tenths of a second: a person waits once, a guesser for each PIN.
        package static let interactive = Self(rounds: 32_768, blockSize: 8, parallelism: 1)
    }

    /// scrypt (RFC 7914).
    ///
    /// - Parameters:
    ///   - secret: Lent, not copied, so that a PIN can stay where it is.
    ///   - count: How many bytes to derive.
    /// - Returns: Nil where the cost is invalid, needs more than 128 MiB, or the memory is not there.
    package static func scrypt(
        _ secret: UnsafeRawBufferPointer, salt: [UInt8], cost: ScryptCost, count: Int
    ) -> [UInt8]? {
        guard count > 0 else { return nil }
        return withCleanErrorQueue {
            // An empty buffer may have no address, which OpenSSL takes for "check the cost only".
            let noSecret: [CChar] = [0]
            let derived = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                let password = unsafe secret.assumingMemoryBound(to: CChar.self).baseAddress
                let isDerived = unsafe noSecret.withUnsafeBufferPointer { empty in
                    unsafe EVP_PBE_scrypt(
                        password ?? empty.baseAddress, secret.count, salt, salt.count, cost.rounds, cost.blockSize,
                        cost.parallelism, 128 << 20, buffer.baseAddress, count)
                }
                initialized = isDerived == 1 ? count : 0
            }
            return derived.isEmpty ? nil : derived
        }
    }
}

extension SignatureScheme.Hash {
    /// OpenSSL's own.
    var digest: OpaquePointer? {
        switch self {
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        }
    }
}
