import COpenSSL
import LockedMemory
import X509

extension FileContent {
    /// Keys and certificates between PEM's lines (RFC 7468), with OpenSSL's older encryption of keys too.
    mutating func readPEM(_ text: Span<UInt8>, _ password: borrowing FilePassword) throws(KeyFileError) {
        var count = 0
        try unsafe text.withUnsafeBufferPointer { (buffer) throws(KeyFileError) in
            guard
                let input = unsafe Owned(
                    BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)), freedBy: { unsafe BIO_free_all($0) })
            else { throw .noMemory }
            while let block = try PEMBlock(next: input) {
                count += 1
                try read(block, password)
            }
        }
        guard count > 0 else { throw .unknownFormat }
    }

    private mutating func read(_ block: borrowing PEMBlock, _ password: borrowing FilePassword) throws(KeyFileError) {
        switch block.name {
        case "CERTIFICATE", "X509 CERTIFICATE": try add(certificate: block.withDER { copy(of: $0) })
        case "EC PARAMETERS": break  // OpenSSL writes the curve before a SEC 1 key, which names it too
        case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
            let key = try block.withDER { (der) throws(KeyFileError) in
                try PKCS8.key(der, password, budget: &budget)
            }
            guard let key else { throw .malformed(reason: "no PKCS#8") }
            try add(key)
        case "RSA PRIVATE KEY": try add(block.traditionalKey(EVP_PKEY_RSA, password))
        case "EC PRIVATE KEY": try add(block.traditionalKey(EVP_PKEY_EC, password))
        case let other: throw .otherBlock(name: other)
        }
    }
}

/// One block of a PEM text, decoded; wiped when it ends.
@safe private struct PEMBlock: ~Copyable {
    let name: String
    private let header: UnsafeMutablePointer<CChar>?
    private let data: UnsafeMutablePointer<UInt8>?
    private let count: Int

    /// Nil at the end of the text.
    init?(next input: borrowing Owned) throws(KeyFileError) {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard unsafe input.use({ unsafe PEM_read_bio($0, &name, &header, &data, &count) }) == 1 else {
            let isAtEnd = tokenward_ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
            let reason = firstErrorReason()
            ERR_clear_error()
            if isAtEnd { return nil }
            throw .malformed(reason: reason)
        }
        self.name = unsafe name.map { unsafe String(cString: $0) } ?? ""
        unsafe tokenward_OPENSSL_free(name)
        unsafe self.header = header
        unsafe self.data = data
        self.count = max(0, count)
    }

    deinit {
        unsafe tokenward_OPENSSL_free(header)
        unsafe tokenward_OPENSSL_clear_free(data, count)
    }

    /// Lends the content for the length of `body`.
    borrowing func withDER<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = unsafe UnsafeBufferPointer(start: data, count: count)
        return try unsafe body(Span(_unsafeElements: bytes))
    }
}

// Keys as OpenSSL wrote them before PKCS#8: PKCS#1 and SEC 1, where encryption stands in lines before the data.
extension PEMBlock {
    /// Ciphers of DEK-Info that are taken. The derivation is one round of MD5: good enough to read, not to write.
    private static let ciphers = ["AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC"]

    /// - Parameter type: EVP_PKEY_RSA or EVP_PKEY_EC.
    borrowing func traditionalKey(
        _ type: Int32, _ password: borrowing FilePassword
    ) throws(KeyFileError) -> FilePrivateKey {
        guard let cipher = try cipher() else {
            return try withDER { (der) throws(KeyFileError) in
                try unsafe der.withUnsafeBufferPointer { (der) throws(KeyFileError) in
                    guard let key = try unsafe Self.key(UnsafeRawBufferPointer(der), type) else {
                        throw .malformed(reason: firstErrorReason())
                    }
                    return key
                }
            }
        }
        guard Self.ciphers.contains(cipher) else { throw .unsupportedEncryption(cipher.isEmpty ? "no name" : cipher) }
        return try unsafe password.use { (characters, length) throws(KeyFileError) in
            guard let characters = unsafe characters else { throw .wrongPassword }
            let password = unsafe UnsafeBufferPointer(start: characters, count: Int(length))
            guard var memory = SecretBuffer(capacity: max(1, count), isLocked: true) else { throw .noMemory }
            _ = try unsafe memory.append { (room) throws(KeyFileError) in try unsafe decrypt(into: room, password) }
            return try memory.withBytes { (der) throws(KeyFileError) in
                try unsafe der.withUnsafeBytes { (der) throws(KeyFileError) in
                    // By chance the padding is right with a wrong password too.
                    guard let key = try unsafe Self.key(der, type) else { throw .wrongPassword }
                    return key
                }
            }
        }
    }

    /// The name that DEK-Info gives (RFC 1421 §4.6.1.3); nil where the key is not encrypted.
    private borrowing func cipher() throws(KeyFileError) -> String? {
        guard let header = unsafe header, unsafe header.pointee != 0 else { return nil }
        let lines = unsafe String(cString: header).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("DEK-Info:") }) else {
            throw .malformed(reason: "no DEK-Info")
        }
        return String(line.dropFirst("DEK-Info:".count).prefix { $0 != "," }.drop { $0 == " " })
    }

    /// Decrypts into `room`, which is as long as the data, and returns how long the key is.
    private borrowing func decrypt(
        into room: UnsafeMutableRawBufferPointer, _ password: UnsafeBufferPointer<CChar>
    ) throws(KeyFileError) -> Int {
        var information = unsafe EVP_CIPHER_INFO()
        guard unsafe PEM_get_EVP_CIPHER_INFO(header, &information) == 1 else {
            throw .malformed(reason: firstErrorReason())
        }
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(start: data, count: count))
        var length = count
        var password = unsafe password
        let isDecrypted = unsafe PEM_do_header(
            &information, room.baseAddress?.assumingMemoryBound(to: UInt8.self), &length,
            { buffer, size, _, context in
                guard let password = unsafe context?.assumingMemoryBound(to: UnsafeBufferPointer<CChar>.self).pointee,
                    let buffer = unsafe buffer, password.count <= size
                else { return -1 }
                _ = unsafe UnsafeMutableBufferPointer(start: buffer, count: Int(size)).update(fromContentsOf: password)
                return Int32(password.count)
            }, &password)
        guard isDecrypted == 1, (0...room.count).contains(length) else { throw PKCS8.decryptionFailure() }
        return length
    }

    /// Nil where the bytes are no such key.
    private static func key(_ der: UnsafeRawBufferPointer, _ type: Int32) throws(KeyFileError) -> FilePrivateKey? {
        let bytes = unsafe der.bindMemory(to: UInt8.self)
        // OpenSSL would read PKCS#8 here too, and every algorithm in it.
        let info = try unsafe parsed(
            Span(_unsafeElements: bytes), { unsafe d2i_PKCS8_PRIV_KEY_INFO(nil, &$0, $1) },
            freedBy: { unsafe PKCS8_PRIV_KEY_INFO_free($0) })
        if let info { return try unsafe info.use { (info) throws(KeyFileError) in try unsafe PKCS8.key(info) } }
        var cursor = bytes.baseAddress
        guard
            let key = unsafe Owned(
                d2i_PrivateKey_ex(type, nil, &cursor, bytes.count, nil, nil), freedBy: { unsafe EVP_PKEY_free($0) })
        else { return nil }
        return try unsafe key.use { (key) throws(KeyFileError) in try unsafe FilePrivateKey(key) }
    }
}
