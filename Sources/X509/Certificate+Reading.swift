import COpenSSL

extension Certificate {
    /// Reads a DER certificate: at most `maximumSize` bytes, followed by nothing but zero padding.
    package init(der bytes: [UInt8]) throws(CertificateError) {
        if let missingAlgorithm { throw .algorithmMissing(missingAlgorithm) }
        let der = try DEREnvelope.contents(of: bytes)
        self = try withCleanErrorQueue { () throws(CertificateError) in
            guard let certificate = Self.parsed(der) else { throw .malformed(reason: firstErrorReason()) }
            return try unsafe certificate.use { certificate throws(CertificateError) in
                try unsafe Self(certificate, der: der)
            }
        }
    }

    /// The `X509` at the start of these bytes; nil where OpenSSL reads none.
    static func parsed(_ der: [UInt8]) -> Owned? {
        let certificate = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_X509(nil, &cursor, buffer.count)
        }
        return unsafe Owned(certificate, freedBy: { unsafe X509_free($0) })
    }

    private init(_ certificate: OpaquePointer, der: [UInt8]) throws(CertificateError) {
        self.der = der
        fingerprint = Digest.sha256(der)
        let version = unsafe X509_get_version(certificate)
        guard 0...2 ~= version else { throw .malformedVersion }  // it may be the largest number that there is
        self.version = version + 1

        let serial = unsafe X509_get0_serialNumber(certificate)
        let serialSize = Int(unsafe ASN1_STRING_length(serial))
        guard serialSize <= Self.maximumSerialSize else { throw .serialTooLong(bytes: serialSize) }
        guard let serial = unsafe SerialNumber(serial),
            let subject = unsafe Name(X509_get_subject_name(certificate)),
            let issuer = unsafe Name(X509_get_issuer_name(certificate))
        else { throw .malformed(reason: firstErrorReason()) }
        self.serial = serial
        self.subject = subject
        self.issuer = issuer

        guard let notBefore = unsafe Self.seconds(X509_get0_notBefore(certificate)),
            let notAfter = unsafe Self.seconds(X509_get0_notAfter(certificate))
        else { throw .malformedDate }
        self.notBefore = notBefore
        self.notAfter = notAfter

        publicKey = unsafe PublicKey(of: certificate)
        subjectPublicKeyInfo = unsafe derBytes { unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), $0) }

        let flags = unsafe X509_get_extension_flags(certificate)
        guard flags & UInt32(EXFLAG_INVALID) == 0 else { throw .malformedExtension }
        isCA = flags & UInt32(EXFLAG_CA) != 0
        keyUsage =
            flags & UInt32(EXFLAG_KUSAGE) == 0
            ? nil : KeyUsage(rawValue: unsafe X509_get_key_usage(certificate))
        subjectKeyID = unsafe contents(X509_get0_subject_key_id(certificate))
        authorityKeyID = unsafe contents(X509_get0_authority_key_id(certificate))
        isYubiKeyAttestation = unsafe Self.hasYubiKeyExtension(certificate)
        signatureHash = unsafe Self.signatureHash(certificate)
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        guard let epoch = unsafe ASN1_TIME_set(nil, 0) else { return nil }
        defer { unsafe ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        // A nil time means "now" to OpenSSL.
        guard let time = unsafe time, unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
        return Int64(days) * 86_400 + Int64(seconds)
    }

    private static func signatureHash(_ certificate: OpaquePointer) -> String? {
        var digest: Int32 = 0
        guard unsafe X509_get_signature_info(certificate, &digest, nil, nil, nil) == 1, digest != NID_undef,
            let name = unsafe OBJ_nid2sn(digest)
        else { return nil }
        return unsafe String(cString: name).lowercased()
    }

    private static func hasYubiKeyExtension(_ certificate: OpaquePointer) -> Bool {
        let arc: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xc4, 0x0a, 0x03]
        return unsafe (0..<max(0, X509_get_ext_count(certificate))).contains { index in
            let identifier = unsafe X509_EXTENSION_get_object(X509_get_ext(certificate, index))
            let bytes = unsafe UnsafeBufferPointer(start: OBJ_get0_data(identifier), count: OBJ_length(identifier))
            return unsafe bytes.count > arc.count && bytes.starts(with: arc)
        }
    }
}
