import COpenSSL
import LockedMemory
package import X509

/// A private key that was in a file, as the numbers of a PKCS#11 template: in a locked page, wiped when it ends.
package struct FilePrivateKey: ~Copyable, Sendable {
    /// In bits: those that AWS takes (IAM Roles Anywhere user guide, "Signing algorithms"), and no token refuses.
    package static let rsaSizes = 2048...4096

    /// A secret number (PKCS#11 2.40 §2.1.3 and §2.3.4).
    package enum Component: CaseIterable, Hashable, Sendable {
        /// CKA_PRIVATE_EXPONENT, CKA_PRIME_1 and so on: unsigned, big-endian, without leading zeros.
        case privateExponent, prime1, prime2, exponent1, exponent2, coefficient
        /// CKA_VALUE of an EC key: as long as the curve's order.
        case scalar
        /// The whole key as PrivateKeyInfo, DER (RFC 5208 §5): what C_UnwrapKey takes in a wrapped form.
        case pkcs8
    }

    package let publicKey: PublicKey
    private let memory: SecretBuffer
    private let places: [Component: Range<Int>]

    /// Lends all numbers for the length of `body`, which must not keep or copy them: the page, and where each of those that a
    /// key of this kind has stands in it.
    package borrowing func withNumbers<Result, Failure: Error>(
        _ body: (Span<UInt8>, [Component: Range<Int>]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try memory.withBytes { (bytes) throws(Failure) in try body(bytes, places) }
    }

    /// Lends a number for the length of `body`, which must not keep or copy it; an empty span where a key of this kind has
    /// no such number.
    package borrowing func withBytes<Result, Failure: Error>(
        of component: Component, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let place = places[component] ?? 0..<0
        return try memory.withBytes { (bytes) throws(Failure) in try body(bytes.extracting(place)) }
    }
}

extension FilePrivateKey {
    /// Reads an `EVP_PKEY`, and checks that its numbers are one key of a kind that is taken.
    init(_ key: OpaquePointer) throws(KeyFileError) {
        let publicKey: PublicKey
        let names: [(Component, String)]
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
            publicKey = try unsafe Self.rsaPublicKey(key)
            names = Self.rsaNames
        } else if unsafe EVP_PKEY_is_a(key, "EC") == 1 {
            publicKey = try unsafe Self.ecPublicKey(key)
            names = [(.scalar, OSSL_PKEY_PARAM_PRIV_KEY)]
        } else {
            throw .unsuitableKey(unsafe EVP_PKEY_get0_type_name(key).map { unsafe String(cString: $0) } ?? "unknown")
        }
        try unsafe Self.check(key)
        guard var memory = SecretBuffer(capacity: 1 << 13, isLocked: true) else { throw .noMemory }
        var places: [Component: Range<Int>] = [:]
        for (component, name) in names {
            let start = memory.count
            let isPadded = component == .scalar
            let count = try unsafe memory.append { (room) throws(KeyFileError) in
                try unsafe Self.write(name, of: key, isPadded: isPadded, to: room)
            }
            places[component] = start..<start + count
        }
        let start = memory.count
        let count = try unsafe memory.append { (room) throws(KeyFileError) in
            try unsafe Self.writePKCS8(of: key, to: room)
        }
        places[.pkcs8] = start..<start + count
        self.publicKey = publicKey
        self.memory = memory
        self.places = places
    }

    /// By OpenSSL's names (provider-keymgmt(7), EVP_PKEY-RSA(7)), some of which its headers put together by macros.
    private static let rsaNames: [(Component, String)] = [
        (.privateExponent, OSSL_PKEY_PARAM_RSA_D), (.prime1, "rsa-factor1"), (.prime2, "rsa-factor2"),
        (.exponent1, "rsa-exponent1"), (.exponent2, "rsa-exponent2"), (.coefficient, "rsa-coefficient1"),
    ]

    /// Writes a number of the key's to the start of `room`, big-endian, and returns how many bytes it takes. OpenSSL writes
    /// into the locked page itself, so that there is no copy elsewhere.
    private static func write(
        _ name: String, of key: OpaquePointer, isPadded: Bool, to room: UnsafeMutableRawBufferPointer
    ) throws(KeyFileError) -> Int {
        let largest = rsaSizes.upperBound / 8
        let number = unsafe UnsafeMutableRawBufferPointer(rebasing: room.prefix(largest)).bindMemory(to: UInt8.self)
        let count = unsafe name.withCString { name in
            var parameters = unsafe [
                OSSL_PARAM_construct_BN(name, number.baseAddress, number.count), OSSL_PARAM_construct_end(),
            ]
            let isRead = unsafe EVP_PKEY_get_params(key, &parameters) == 1
            return unsafe isRead ? parameters[0].return_size : .max
        }
        guard (1...largest).contains(count) else { throw .inconsistentKey }
        var digits = unsafe UnsafeMutableBufferPointer(rebasing: number.prefix(count))
        unsafe digits.reverse()  // OpenSSL writes in the machine's order: Swift runs on little-endian machines alone
        guard !isPadded else { return count }
        let zeros = unsafe digits.prefix { $0 == 0 }.count
        guard zeros < count else { throw .inconsistentKey }
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: room[zeros..<count]))
        unsafe digits[(count - zeros)...].update(repeating: 0)
        return count - zeros
    }

    private static func writePKCS8(
        of key: OpaquePointer, to room: UnsafeMutableRawBufferPointer
    ) throws(KeyFileError) -> Int {
        guard let info = unsafe Owned(EVP_PKEY2PKCS8(key), freedBy: { unsafe PKCS8_PRIV_KEY_INFO_free($0) }) else {
            throw .malformed(reason: firstErrorReason())
        }
        return try unsafe info.use { (info) throws(KeyFileError) in
            let count = Int(unsafe i2d_PKCS8_PRIV_KEY_INFO(info, nil))
            guard (1...room.count).contains(count) else { throw .inconsistentKey }
            var cursor = unsafe room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return Int(unsafe i2d_PKCS8_PRIV_KEY_INFO(info, &cursor))
        }
    }
}
