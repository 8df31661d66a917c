import COpenSSL

/// Keys and certificates for the emulator's own HTTPS, made and written by OpenSSL. What these functions return belongs
/// to the caller.
@unsafe enum TLSMaterial {
    /// A P-256 key.
    static func makeKey() -> OpaquePointer? {
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1
        else { return nil }
        return unsafe key
    }

    /// - Parameter issuer: Certificate and key of the issuer; nil to have the certificate sign itself.
    static func makeCertificate(
        for key: OpaquePointer, commonName: String, extensions: [(Int32, String)], days: Int,
        issuer: (certificate: OpaquePointer, key: OpaquePointer)?
    ) -> OpaquePointer? {
        guard let certificate = unsafe X509_new() else { return nil }
        let name = unsafe X509_get_subject_name(certificate)
        let bytes = Array(commonName.utf8)
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...UInt64(Int64.max)))
        // An hour back, for clients whose clock is behind on purpose.
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -3600)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400)
        unsafe X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, bytes, Int32(bytes.count), -1, 0)
        unsafe X509_set_issuer_name(certificate, X509_get_subject_name(issuer?.certificate ?? certificate))
        unsafe X509_set_pubkey(certificate, key)

        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, issuer?.certificate ?? certificate, certificate, nil, nil, 0)
        for (kind, value) in extensions {
            let made = unsafe X509V3_EXT_conf_nid(nil, &context, kind, value)
            defer { unsafe X509_EXTENSION_free(made) }
            guard unsafe made != nil, unsafe X509_add_ext(certificate, made, -1) == 1 else {
                unsafe X509_free(certificate)
                return nil
            }
        }
        guard unsafe X509_sign(certificate, issuer?.key ?? key, EVP_sha256()) > 0 else {
            unsafe X509_free(certificate)
            return nil
        }
        return unsafe certificate
    }

    static func certificate(fromPEM text: [UInt8]) -> OpaquePointer? {
        let source = unsafe BIO_new_mem_buf(text, Int32(clamping: text.count))
        defer { unsafe BIO_free(source) }
        return unsafe PEM_read_bio_X509(source, nil, nil, nil)
    }

    static func key(fromPEM text: [UInt8]) -> OpaquePointer? {
        let source = unsafe BIO_new_mem_buf(text, Int32(clamping: text.count))
        defer { unsafe BIO_free(source) }
        return unsafe PEM_read_bio_PrivateKey(source, nil, nil, nil)
    }

    static func pem(of certificate: OpaquePointer) -> [UInt8] {
        unsafe written { sink in unsafe PEM_write_bio_X509(sink, certificate) }
    }

    static func pem(ofKey key: OpaquePointer) -> [UInt8] {
        unsafe written { sink in unsafe PEM_write_bio_PrivateKey(sink, key, nil, nil, 0, nil, nil) }
    }

    private static func written(by write: (OpaquePointer?) -> Int32) -> [UInt8] {
        let sink = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(sink) }
        guard unsafe write(sink) == 1 else { return [] }
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(sink))
        let count = unsafe BIO_read(sink, &bytes, Int32(clamping: bytes.count))
        return Array(bytes.prefix(Int(max(0, count))))
    }
}
