import COpenSSL
import X509

/// PKCS#12 (RFC 7292), bag by bag: OpenSSL's PKCS12_parse returns one key of several and keeps silent about the others.
struct PKCS12: ~Copyable {
    /// How deep bags may lie in bags.
    static let deepest = 4
    /// Of how many keys the names are kept, to be told.
    private static let mostNames = 4

    private var content: FileContent
    private var keyCount = 0
    private var keyNames: [String] = []

    /// - Parameter file: A `PKCS12`.
    static func content(
        of file: OpaquePointer, _ password: borrowing FilePassword, budget: WorkBudget
    ) throws(KeyFileError) -> FileContent {
        try unsafe password.use { (characters, count) throws(KeyFileError) in
            let password = unsafe Password(characters: characters, count: count)
            var reading = Self(content: FileContent(budget: budget))
            try unsafe reading.verifyMAC(of: file, password)
            try unsafe reading.readSafes(of: file, password)
            guard reading.keyCount <= 1 else { throw .severalKeys(names: reading.keyNames) }
            return reading.content
        }
    }

    /// The password in the way that OpenSSL takes it; nil for none at all.
    @unsafe private struct Password {
        let characters: UnsafePointer<CChar>?
        let count: Int32
    }

    /// Compares the MAC, which tells a wrong password before anything is decrypted. A file without one is read as well: it is
    /// protected from changes no less than a PEM file is.
    private mutating func verifyMAC(of file: OpaquePointer, _ password: Password) throws(KeyFileError) {
        guard unsafe PKCS12_mac_present(file) == 1 else { return }
        var iterations: UnsafePointer<ASN1_INTEGER>?
        var algorithm: UnsafePointer<X509_ALGOR>?
        unsafe PKCS12_get0_mac(nil, &algorithm, nil, &iterations, file)
        // RFC 9579. OpenSSL reads it since 3.4, with rounds and a key's length that are not in `iterations`.
        guard unsafe OBJ_obj2nid(algorithm?.pointee.algorithm) != NID_pbmac1 else { throw .unsupportedMAC }
        // Absent, it is 1 (RFC 7292 §4).
        try content.budget.spend(unsafe iterations.map { unsafe PasswordEncryption.number($0) } ?? 1)
        guard unsafe PKCS12_verify_mac(file, password.characters, password.count) != 1 else { return }
        // OpenSSL leaves no error where it has calculated the MAC and it is another one.
        guard ERR_peek_error() != 0 else { throw .wrongPassword }
        throw .malformed(reason: firstErrorReason())
    }

    private mutating func readSafes(of file: OpaquePointer, _ password: Password) throws(KeyFileError) {
        let free: (OpaquePointer?) -> Void = {
            unsafe OPENSSL_sk_pop_free($0) { unsafe PKCS7_free($0?.assumingMemoryBound(to: PKCS7.self)) }
        }
        guard let safes = unsafe Owned(PKCS12_unpack_authsafes(file), freedBy: free) else {
            throw .malformed(reason: firstErrorReason())
        }
        try unsafe safes.use { (safes) throws(KeyFileError) in
            for index in 0..<max(0, unsafe OPENSSL_sk_num(safes)) {
                guard let safe = unsafe OPENSSL_sk_value(safes, index)?.assumingMemoryBound(to: PKCS7.self) else {
                    continue
                }
                let bags = try unsafe bags(of: safe, password)
                try unsafe bags.use { (bags) throws(KeyFileError) in try unsafe read(bags, password, depth: 1) }
            }
        }
    }

    /// The bags of one part of the file, decrypted.
    private mutating func bags(
        of safe: UnsafeMutablePointer<PKCS7>, _ password: Password
    ) throws(KeyFileError) -> Owned {
        let bags: OpaquePointer?
        switch unsafe OBJ_obj2nid(safe.pointee.type) {
        case NID_pkcs7_data where unsafe safe.pointee.d.data != nil: unsafe bags = PKCS12_unpack_p7data(safe)
        case NID_pkcs7_encrypted:
            guard let part = unsafe safe.pointee.d.encrypted?.pointee.enc_data, unsafe part.pointee.enc_data != nil
            else { throw .malformed(reason: "no encrypted content") }
            let encryption = try unsafe PasswordEncryption(part.pointee.algorithm)
            try content.budget.spend(encryption.work)
            // What PKCS12_unpack_p7encdata does, in a library context of our choice. The 1 has the decrypted bytes wiped.
            let decrypted = unsafe PKCS12_item_decrypt_d2i_ex(
                part.pointee.algorithm, PKCS12_SAFEBAGS_it(), password.characters, password.count,
                part.pointee.enc_data, 1, try LegacyProvider.context(for: encryption), nil)
            guard let decrypted = unsafe decrypted else { throw PKCS8.decryptionFailure() }
            unsafe bags = OpaquePointer(decrypted)
        case NID_pkcs7_enveloped: throw .unsupportedEncryption("a certificate's public key")
        default: throw .malformed(reason: "a part that holds no bags")
        }
        let free: (OpaquePointer?) -> Void = {
            unsafe OPENSSL_sk_pop_free($0) { unsafe PKCS12_SAFEBAG_free(OpaquePointer($0)) }
        }
        guard let bags = unsafe Owned(bags, freedBy: free) else { throw .malformed(reason: firstErrorReason()) }
        return bags
    }

    private mutating func read(
        _ bags: OpaquePointer, _ password: Password, depth: Int
    ) throws(KeyFileError) {
        guard depth <= Self.deepest else { throw .tooDeep }
        for index in 0..<max(0, unsafe OPENSSL_sk_num(bags)) {
            guard let bag = unsafe OPENSSL_sk_value(bags, index).map({ OpaquePointer($0) }) else { continue }
            switch unsafe PKCS12_SAFEBAG_get_nid(bag) {
            case NID_keyBag, NID_pkcs8ShroudedKeyBag:
                keyCount += 1
                if keyNames.count < Self.mostNames, let name = unsafe Self.friendlyName(of: bag) {
                    keyNames.append(name)
                }
                if keyCount == 1 { try content.add(unsafe key(in: bag, password)) }
            case NID_certBag where unsafe PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate:
                try content.add(certificate: unsafe Self.certificate(in: bag))
            case NID_safeContentsBag:
                guard let inner = unsafe PKCS12_SAFEBAG_get0_safes(bag) else { continue }
                try unsafe read(inner, password, depth: depth + 1)
            default: continue  // revocation lists, secrets of other kinds
            }
        }
    }

    private mutating func key(in bag: OpaquePointer, _ password: Password) throws(KeyFileError) -> FilePrivateKey {
        if let info = unsafe PKCS12_SAFEBAG_get0_p8inf(bag) { return try unsafe PKCS8.key(info) }
        guard let encrypted = unsafe PKCS12_SAFEBAG_get0_pkcs8(bag) else {
            throw .malformed(reason: "an empty key bag")
        }
        return try unsafe PKCS8.key(
            encrypted: encrypted, password.characters, password.count, budget: &content.budget)
    }

    private static func certificate(in bag: OpaquePointer) throws(KeyFileError) -> [UInt8] {
        guard let certificate = unsafe Owned(PKCS12_SAFEBAG_get1_cert(bag), freedBy: { unsafe X509_free($0) }) else {
            throw .malformed(reason: firstErrorReason())
        }
        return unsafe certificate.use { certificate in unsafe derBytes { unsafe i2d_X509(certificate, $0) } }
    }

    /// UTF-16 (RFC 2985 §5.5.1). OpenSSL's PKCS12_get_friendlyname writes beside its memory in many versions
    /// (CVE-2025-69419).
    private static func friendlyName(of bag: OpaquePointer) -> String? {
        guard let value = unsafe PKCS12_SAFEBAG_get0_attr(bag, NID_friendlyName),
            unsafe value.pointee.type == V_ASN1_BMPSTRING, let text = unsafe value.pointee.value.bmpstring
        else { return nil }
        let bytes = unsafe UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(text), count: max(0, Int(ASN1_STRING_length(text))))
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { index in
            unsafe UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
        }
        return String(decoding: units, as: UTF16.self)
    }
}
