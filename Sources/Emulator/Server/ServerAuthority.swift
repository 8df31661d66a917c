import COpenSSL
import Glibc

/// The certificate authority of the emulator's own HTTPS: clients trust its `ca.pem`.
///
/// It has nothing to do with the trust anchors: those are for clients, this is for the server.
@safe package final class ServerAuthority {
    private let certificate: OpaquePointer
    private let key: OpaquePointer

    private init(certificate: OpaquePointer, key: OpaquePointer) {
        unsafe self.certificate = unsafe certificate
        unsafe self.key = unsafe key
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    /// Reads `ca.pem` and `ca-key.pem` of a folder, or makes them, and the folder too.
    package static func open(folder: String) throws(ConfigurationError) -> ServerAuthority {
        unsafe mkdir(folder, 0o700)  // a failure shows when the files are written
        let path = "\(folder)/ca.pem"
        let keyPath = "\(folder)/ca-key.pem"
        if let pem = try? FileBytes.read(path), let keyPEM = try? FileBytes.read(keyPath) {
            // Files that cannot be read are made anew; files that cannot be parsed are somebody's, and stay.
            guard let certificate = unsafe parsed(pem, { unsafe PEM_read_bio_X509($0, nil, nil, nil) }),
                let key = unsafe parsed(keyPEM, { unsafe PEM_read_bio_PrivateKey($0, nil, nil, nil) })
            else { throw ConfigurationError(path: path, reason: "it or ca-key.pem cannot be parsed; remove both") }
            return unsafe ServerAuthority(certificate: certificate, key: key)
        }
        let key = try unsafe makeKey(for: folder)
        let certificate = try unsafe makeCertificate(
            for: key, commonName: "rolesanywhere-emulator CA",
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ], days: 3650, issuer: nil, path: folder)
        let authority = unsafe ServerAuthority(certificate: certificate, key: key)
        try unsafe FileBytes.write(pem(ofKey: key), to: keyPath, mode: 0o600)
        try unsafe FileBytes.write(pem(of: certificate), to: path, mode: 0o644)
        return authority
    }

    /// A new key and certificate for a server, which live no longer than its process.
    ///
    /// - Parameter names: In the form of subjectAltName, such as `DNS:localhost`.
    package func makeServer(names: [String]) throws(ConfigurationError) -> TLSFiles {
        let key = try unsafe Self.makeKey(for: "TLS")
        defer { unsafe EVP_PKEY_free(key) }
        let server = try unsafe Self.makeCertificate(
            for: key, commonName: "rolesanywhere-emulator",
            extensions: [
                (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "serverAuth"), (NID_subject_alt_name, names.joined(separator: ",")),
                (NID_subject_key_identifier, "hash"), (NID_authority_key_identifier, "keyid:always"),
            ], days: 30, issuer: (certificate, self.key), path: "TLS")
        defer { unsafe X509_free(server) }
        return unsafe TLSFiles(certificates: Self.pem(of: server), key: Self.pem(ofKey: key))
    }
}

/// A server's certificates and key, as PEM.
package struct TLSFiles: Sendable {
    let certificates: [UInt8]
    let key: [UInt8]

    /// - Throws: The path that cannot be read.
    package static func read(certificates: String, key: String) throws(ConfigurationError) -> TLSFiles {
        TLSFiles(certificates: try FileBytes.read(certificates), key: try FileBytes.read(key))
    }
}

// Keys and certificates by OpenSSL. What these functions return belongs to the caller.
@unsafe extension ServerAuthority {
    /// A P-256 key.
    private static func makeKey(for path: String) throws(ConfigurationError) -> OpaquePointer {
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key
        else { throw .opensslFailed(path) }
        return unsafe key
    }

    /// - Parameter issuer: Certificate and key of the issuer; nil to have the certificate sign itself.
    private static func makeCertificate(
        for key: OpaquePointer, commonName: String, extensions: [(Int32, String)], days: Int,
        issuer: (certificate: OpaquePointer, key: OpaquePointer)?, path: String
    ) throws(ConfigurationError) -> OpaquePointer {
        guard let certificate = unsafe X509_new() else { throw .opensslFailed(path) }
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
        let isExtended = extensions.allSatisfy { kind, value in
            let made = unsafe X509V3_EXT_conf_nid(nil, &context, kind, value)
            defer { unsafe X509_EXTENSION_free(made) }
            return unsafe made != nil && X509_add_ext(certificate, made, -1) == 1
        }
        guard unsafe isExtended && X509_sign(certificate, issuer?.key ?? key, EVP_sha256()) > 0 else {
            unsafe X509_free(certificate)
            throw .opensslFailed(path)
        }
        return unsafe certificate
    }

    private static func parsed(
        _ pem: [UInt8], _ parse: (OpaquePointer?) -> OpaquePointer?
    ) -> OpaquePointer? {
        let source = unsafe BIO_new_mem_buf(pem, Int32(clamping: pem.count))
        defer { unsafe BIO_free(source) }
        return unsafe parse(source)
    }

    private static func pem(of certificate: OpaquePointer) -> [UInt8] {
        unsafe written { sink in unsafe PEM_write_bio_X509(sink, certificate) }
    }

    private static func pem(ofKey key: OpaquePointer) -> [UInt8] {
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

extension ConfigurationError {
    fileprivate static func opensslFailed(_ path: String) -> Self {
        ConfigurationError(path: path, reason: "OpenSSL could not make a key or a certificate")
    }
}
