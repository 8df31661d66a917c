import COpenSSL
import Glibc

/// A certificate as OpenSSL has parsed it.
@safe final class ReceivedCertificate {
    enum KeyKind { case rsa, ec, other }

    let handle: OpaquePointer

    /// - Parameter der: One certificate and nothing after it, at most 64 KiB.
    init?(der: [UInt8]) {
        guard !der.isEmpty, der.count <= 65_536 else { return nil }
        let parsed: (handle: OpaquePointer, length: Int)? = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            guard let handle = unsafe d2i_X509(nil, &cursor, buffer.count) else { return nil }
            guard let start = buffer.baseAddress, let end = unsafe cursor else { return nil }
            return unsafe (handle, end - start)
        }
        guard let parsed = unsafe parsed else {
            ERR_clear_error()
            return nil
        }
        unsafe handle = parsed.handle
        guard unsafe parsed.length == der.count else { return nil }
    }

    /// Takes a share in a certificate that OpenSSL keeps.
    init(sharing handle: OpaquePointer) {
        unsafe X509_up_ref(handle)
        unsafe self.handle = unsafe handle
    }

    deinit { unsafe X509_free(handle) }
}

extension ReceivedCertificate {
    /// X.509 v1 is 0, v3 is 2.
    var version: Int { unsafe X509_get_version(handle) }

    var isCA: Bool { unsafe X509_get_extension_flags(handle) & UInt32(EXFLAG_CA) != 0 }

    /// False when the certificate says nothing about the use of its key.
    func allowsKeyUsage(_ usage: Int32) -> Bool {
        unsafe X509_get_extension_flags(handle) & UInt32(EXFLAG_KUSAGE) != 0
            && X509_get_key_usage(handle) & UInt32(usage) != 0
    }

    var hasEmptySubject: Bool { unsafe X509_NAME_entry_count(X509_get_subject_name(handle)) <= 0 }

    /// DER.
    var encodedSubject: [UInt8] {
        var start: UnsafePointer<UInt8>?
        var count = 0
        guard unsafe X509_NAME_get0_der(X509_get_subject_name(handle), &start, &count) == 1 else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }

    /// Whether its issuer signed it over SHA-256 or longer, as the service demands.
    var isSignedWithStrongDigest: Bool {
        var digest: Int32 = 0
        guard unsafe X509_get_signature_info(handle, &digest, nil, nil, nil) == 1 else { return false }
        return [NID_sha256, NID_sha384, NID_sha512].contains(digest)
    }

    var notBefore: UTCTime? { unsafe UTCTime(X509_get0_notBefore(handle)) }
    var notAfter: UTCTime? { unsafe UTCTime(X509_get0_notAfter(handle)) }

    var keyKind: KeyKind {
        switch unsafe EVP_PKEY_get_base_id(X509_get0_pubkey(handle)) {
        case EVP_PKEY_RSA: .rsa
        case EVP_PKEY_EC: .ec
        default: .other
        }
    }

    /// Whether the key has a size or a curve that the service takes.
    var hasAcceptedKey: Bool {
        let key = unsafe X509_get0_pubkey(handle)
        switch keyKind {
        case .rsa: return unsafe (2048...4096).contains(EVP_PKEY_get_bits(key))
        case .ec:
            var name = [CChar](repeating: 0, count: 64)
            guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { return false }
            let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return ["prime256v1", "secp384r1", "secp521r1"].contains(text)
        case .other: return false
        }
    }

    /// Whether this certificate's key signed `message`: PKCS #1 v1.5 or DER-encoded ECDSA, over SHA-256.
    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        let key = unsafe X509_get0_pubkey(handle)
        let verified =
            unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        ERR_clear_error()
        return verified
    }
}

extension ReceivedCertificate {
    /// As it stands in `Credential=`.
    var decimalSerial: String { unsafe serial(BN_bn2dec) }

    /// Lower-case, padded to an even length, as it stands in session names and source identities.
    var hexSerial: String { unsafe serial(BN_bn2hex).lowercased() }

    private func serial(_ write: (OpaquePointer?) -> UnsafeMutablePointer<CChar>?) -> String {
        guard let number = unsafe ASN1_INTEGER_to_BN(X509_get0_serialNumber(handle), nil) else { return "" }
        defer { unsafe BN_free(number) }
        guard let digits = unsafe write(number) else { return "" }
        defer { unsafe tokenward_OPENSSL_free(digits) }
        return unsafe String(cString: digits)
    }
}

extension UTCTime {
    fileprivate init?(_ time: UnsafePointer<ASN1_TIME>?) {
        var fields = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(time, &fields) == 1 else { return nil }
        unsafe self.init(secondsSince1970: Int64(timegm(&fields)))
    }
}
