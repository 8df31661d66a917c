import COpenSSL
import Glibc

/// A path from a leaf to a trust anchor (RFC 5280 §6), validated by OpenSSL.
struct CertificatePath {
    /// The leaf first, the anchor last.
    let certificates: [ReceivedCertificate]

    struct Unbuildable: Error {
        /// In OpenSSL's words.
        let reason: String
    }

    /// - Parameters:
    ///   - untrusted: The certificates of `X-Amz-X509-Chain`, in any order.
    ///   - anchors: Roots or intermediates; each is trusted as it stands.
    init(leaf: ReceivedCertificate, untrusted: [ReceivedCertificate], anchors: [ReceivedCertificate], at now: UTCTime)
        throws(Unbuildable)
    {
        let store = unsafe X509_STORE_new()
        let stack = unsafe OPENSSL_sk_new_null()
        let context = unsafe X509_STORE_CTX_new()
        defer {
            unsafe X509_STORE_CTX_free(context)
            unsafe OPENSSL_sk_free(stack)
            unsafe X509_STORE_free(store)
            ERR_clear_error()
        }
        for anchor in anchors { unsafe X509_STORE_add_cert(store, anchor.handle) }
        for certificate in untrusted { unsafe OPENSSL_sk_push(stack, UnsafeRawPointer(certificate.handle)) }
        guard unsafe X509_STORE_CTX_init(context, store, leaf.handle, stack) == 1 else {
            throw Unbuildable(reason: "out of memory")
        }
        let parameters = unsafe X509_STORE_CTX_get0_param(context)
        // No X509_V_FLAG_X509_STRICT: it wants key identifiers, which the service is known not to need. AWS' own example
        // of a hierarchy for it (aws/rolesanywhere-credential-helper, generate-credential-process-data.sh) has none.
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        unsafe X509_VERIFY_PARAM_set_time(parameters, time_t(now.secondsSince1970))
        let verified = unsafe X509_verify_cert(context) == 1
        // The stack and the store only borrow: nothing above may be let go before this line.
        withExtendedLifetime((leaf, untrusted, anchors)) {}
        guard verified else {
            let text = unsafe X509_verify_cert_error_string(Int(X509_STORE_CTX_get_error(context)))
            throw Unbuildable(reason: unsafe text.map { unsafe String(cString: $0) } ?? "unknown")
        }

        let chain = unsafe X509_STORE_CTX_get0_chain(context)
        var certificates: [ReceivedCertificate] = []
        for index in unsafe 0..<max(0, OPENSSL_sk_num(chain)) {
            guard let element = unsafe OPENSSL_sk_value(chain, index) else { continue }
            unsafe certificates.append(ReceivedCertificate(sharing: OpaquePointer(element)))
        }
        self.certificates = certificates
    }

    /// Whether one of the lists revokes one of the certificates.
    func isRevoked(by lists: [RevocationList]) -> Bool {
        zip(certificates, certificates.dropFirst()).contains { certificate, issuer in
            lists.contains { $0.revokes(certificate, issuedBy: issuer) }
        }
    }
}

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
