import COpenSSL

/// A certificate revocation list that was imported for a trust anchor.
@safe final class RevocationList {
    private let handle: OpaquePointer

    init?(der: [UInt8]) {
        let parsed = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_X509_CRL(nil, &cursor, buffer.count)
        }
        guard let parsed = unsafe parsed else {
            ERR_clear_error()
            return nil
        }
        unsafe handle = parsed
    }

    deinit { unsafe X509_CRL_free(handle) }

    /// Whether `issuer` made this list, and lists `certificate` in it.
    ///
    /// A list past its nextUpdate still counts: that the service would forget a revocation is not documented.
    func revokes(_ certificate: ReceivedCertificate, issuedBy issuer: ReceivedCertificate) -> Bool {
        defer { ERR_clear_error() }
        guard unsafe X509_NAME_cmp(X509_CRL_get_issuer(handle), X509_get_issuer_name(certificate.handle)) == 0,
            unsafe X509_CRL_verify(handle, X509_get0_pubkey(issuer.handle)) == 1
        else { return false }
        var entry: OpaquePointer?
        // 2 means "removeFromCRL": it was on hold, and is good again.
        return unsafe X509_CRL_get0_by_cert(handle, &entry, certificate.handle) == 1
    }
}
