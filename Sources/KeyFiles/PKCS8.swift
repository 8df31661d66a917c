import COpenSSL
import X509

/// Private keys in DER, plain and encrypted (RFC 5208 §5 and §6).
enum PKCS8 {
    /// - Parameter info: A `PKCS8_PRIV_KEY_INFO`.
    static func key(_ info: OpaquePointer) throws(KeyFileError) -> FilePrivateKey {
        var identifier: OpaquePointer?
        var algorithm: UnsafePointer<X509_ALGOR>?
        guard unsafe PKCS8_pkey_get0(&identifier, nil, nil, &algorithm, info) == 1 else {
            throw .malformed(reason: firstErrorReason())
        }
        // Before OpenSSL reads the key: for DSA and DH it would calculate a public half with numbers of any size.
        switch unsafe OBJ_obj2nid(identifier) {
        case NID_rsaEncryption: break
        case NID_X9_62_id_ecPublicKey:
            guard unsafe algorithm?.pointee.parameter?.pointee.type == V_ASN1_OBJECT else { throw .explicitCurve }
        case NID_undef: throw .unsuitableKey(unsafe dottedText(identifier))
        case let other: throw .unsuitableKey(unsafe OBJ_nid2sn(other).map { unsafe String(cString: $0) } ?? "unknown")
        }
        guard let key = unsafe Owned(EVP_PKCS82PKEY_ex(info, nil, nil), freedBy: { unsafe EVP_PKEY_free($0) }) else {
            throw .malformed(reason: firstErrorReason())
        }
        return try unsafe key.use { (key) throws(KeyFileError) in try unsafe FilePrivateKey(key) }
    }

    /// - Parameter encrypted: An `X509_SIG`, which is how OpenSSL calls EncryptedPrivateKeyInfo.
    static func key(
        encrypted: OpaquePointer, _ characters: UnsafePointer<CChar>?, _ count: Int32, budget: inout WorkBudget
    ) throws(KeyFileError) -> FilePrivateKey {
        var algorithm: UnsafePointer<X509_ALGOR>?
        unsafe X509_SIG_get0(encrypted, &algorithm, nil)
        let encryption = try unsafe PasswordEncryption(algorithm)
        try budget.spend(encryption.work)
        let context = try unsafe LegacyProvider.context(for: encryption)
        guard
            let info = unsafe Owned(
                PKCS8_decrypt_ex(encrypted, characters, count, context, nil),
                freedBy: { unsafe PKCS8_PRIV_KEY_INFO_free($0) })
        else { throw decryptionFailure() }
        return try unsafe info.use { (info) throws(KeyFileError) in try unsafe key(info) }
    }

    /// A key by itself, plain or encrypted; nil where the bytes are neither.
    static func key(
        _ der: Span<UInt8>, _ password: borrowing FilePassword, budget: inout WorkBudget
    ) throws(KeyFileError) -> FilePrivateKey? {
        let info = try unsafe parsed(
            der, { unsafe d2i_PKCS8_PRIV_KEY_INFO(nil, &$0, $1) }, freedBy: { unsafe PKCS8_PRIV_KEY_INFO_free($0) })
        if let info { return try unsafe info.use { (info) throws(KeyFileError) in try unsafe key(info) } }
        let encrypted = try unsafe parsed(
            der, { unsafe d2i_X509_SIG(nil, &$0, $1) }, freedBy: { unsafe X509_SIG_free($0) })
        guard let encrypted else { return nil }
        return try unsafe encrypted.use { (encrypted) throws(KeyFileError) in
            try unsafe password.use { (characters, count) throws(KeyFileError) in
                try unsafe key(encrypted: encrypted, characters, count, budget: &budget)
            }
        }
    }

    /// Why OpenSSL could not decrypt: what a wrong password gives is padding or DER that is wrong, by chance one or the other.
    static func decryptionFailure() -> KeyFileError {
        let code = ERR_peek_error()
        defer { ERR_clear_error() }
        return tokenward_ERR_GET_REASON(code) == ERR_R_UNSUPPORTED
            ? .unsupportedEncryption("an algorithm that OpenSSL does not offer here") : .wrongPassword
    }
}

extension FileContent {
    /// PKCS#12, or one key by itself.
    mutating func readDER(_ content: Span<UInt8>, _ password: borrowing FilePassword) throws(KeyFileError) {
        if let file = try unsafe parsed(
            content, { unsafe d2i_PKCS12(nil, &$0, $1) }, freedBy: { unsafe PKCS12_free($0) })
        {
            self = try unsafe file.use { (file) throws(KeyFileError) in
                try unsafe PKCS12.content(of: file, password, budget: budget)
            }
        } else if let key = try PKCS8.key(content, password, budget: &budget) {
            try add(key)
        } else if (try? Certificate(der: copy(of: content))) != nil {
            throw .noKey(certificates: 1)
        } else {
            throw .unknownFormat
        }
    }
}

/// Reads one structure that takes all of the bytes, by one of OpenSSL's `d2i` functions; nil where it is none of that kind.
func parsed(
    _ bytes: Span<UInt8>, _ read: (inout UnsafePointer<UInt8>?, Int) -> OpaquePointer?,
    freedBy free: @escaping (OpaquePointer?) -> Void
) throws(KeyFileError) -> Owned? {
    try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(KeyFileError) in
        var cursor = buffer.baseAddress
        guard let structure = unsafe Owned(read(&cursor, buffer.count), freedBy: free) else {
            ERR_clear_error()
            return nil
        }
        let rest = unsafe buffer.count - (cursor.map { unsafe $0 - UnsafePointer(buffer.baseAddress ?? $0) } ?? 0)
        guard rest == 0 else { throw .trailingBytes(count: rest) }
        return structure
    }
}

/// The bytes in memory that others may keep: of certificates alone.
func copy(of bytes: Span<UInt8>) -> [UInt8] { unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) } }
