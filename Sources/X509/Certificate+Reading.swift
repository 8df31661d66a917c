import COpenSSL

extension Certificate {
    /// Reads a DER certificate: at most `maximumSize` bytes, followed by nothing but zero padding.
    package init(der bytes: [UInt8]) throws(CertificateError) {
        if let missingAlgorithm { throw .algorithmMissing(missingAlgorithm) }
        let der = try Self.envelope(of: bytes)
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

        publicKey = unsafe PublicKey(info: X509_get_X509_PUBKEY(certificate))
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

// The outer header of a certificate, read before OpenSSL sees a byte, for errors that name the form that a token really gave.
extension Certificate {
    /// The bytes of the outer SEQUENCE, without the zero padding that some cards leave behind it.
    private static func envelope(of bytes: [UInt8]) throws(CertificateError) -> [UInt8] {
        guard let first = bytes.first else { throw .empty }
        guard bytes.count <= maximumSize else { throw .tooLarge(bytes: bytes.count) }
        if bytes.starts(with: [0x1f, 0x8b]) { throw .compressed }
        if bytes.starts(with: Array("-----BEGIN".utf8)) { throw .pemText }
        guard first == 0x30 else { throw .notASequence }
        guard bytes.count >= 2 else { throw .truncated(bytes: bytes.count, expected: 2) }
        let count = try sequenceCount(bytes)
        guard bytes.count >= count else { throw .truncated(bytes: bytes.count, expected: count) }
        guard bytes[count...].allSatisfy({ $0 == 0 }) else { throw .trailingBytes(count: bytes.count - count) }
        return Array(bytes.prefix(count))
    }

    /// The length of the whole SEQUENCE, header included (X.690 §8.1.3, §10.1).
    private static func sequenceCount(_ bytes: [UInt8]) throws(CertificateError) -> Int {
        let first = Int(bytes[1])
        if first < 0x80 { return 2 + first }
        let width = first - 0x80
        // No certificate within our limit needs more than three bytes, and 0x80 is BER's indefinite form.
        guard (1...3).contains(width) else { throw .notASequence }
        guard bytes.count >= 2 + width else { throw .truncated(bytes: bytes.count, expected: 2 + width) }
        let length = bytes[2..<(2 + width)].reduce(0) { $0 << 8 | Int($1) }
        guard length >= 0x80, bytes[2] != 0 else { throw .notASequence }
        return 2 + width + length
    }
}
