import COpenSSL

struct TrustAnchor: Sendable {
    let name: ResourceName
    var aliases: [String] = []
    var isEnabled = true
    /// DER; one or two.
    let certificates: [[UInt8]]
    /// DER; at most two.
    let revocationLists: [[UInt8]]

    /// Makes a trust anchor of PEM files, with the rules that the service has for them.
    ///
    /// Source: IAM Roles Anywhere user guide, "trust model": CA:true, keyCertSign, SHA-256 or stronger, at most two
    /// certificates and two revocation lists of 300,000 bytes.
    init(name: ResourceName, files: [String], revocationLists lists: [String] = []) throws(ConfigurationError) {
        self.name = name
        var certificates: [[UInt8]] = []
        for file in files {
            guard let blocks = Self.blocks(of: "CERTIFICATE", in: try FileBytes.read(file)), !blocks.isEmpty
            else { throw ConfigurationError(path: file, reason: "it holds no PEM certificate") }
            for block in blocks {
                if let reason = Self.objection(to: block) { throw ConfigurationError(path: file, reason: reason) }
            }
            certificates += blocks
        }
        guard (1...2).contains(certificates.count) else {
            throw ConfigurationError(
                path: files.first ?? name.text, reason: "a trust anchor has one or two certificates")
        }
        self.certificates = certificates
        var revocationLists: [[UInt8]] = []
        for file in lists {
            let text = try FileBytes.read(file)
            guard text.count <= 300_000, let blocks = Self.blocks(of: "X509 CRL", in: text), !blocks.isEmpty,
                blocks.allSatisfy({ RevocationList(der: $0) != nil })
            else {
                throw ConfigurationError(path: file, reason: "it holds no PEM revocation list within 300,000 bytes")
            }
            revocationLists += blocks
        }
        guard revocationLists.count <= 2 else {
            throw ConfigurationError(path: lists.first ?? name.text, reason: "a trust anchor has at most two CRLs")
        }
        self.revocationLists = revocationLists
    }

    private static func objection(to der: [UInt8]) -> String? {
        guard let certificate = ReceivedCertificate(der: der) else { return "a certificate in it cannot be parsed" }
        // The service's own words, seen in public write-ups.
        if !certificate.isCA { return "Incorrect basic constraints for CA certificate" }
        if !certificate.allowsKeyUsage(KU_KEY_CERT_SIGN) { return "a trust anchor needs the keyCertSign key usage" }
        if !certificate.isSignedWithStrongDigest { return "a trust anchor must be signed with SHA-256 or stronger" }
        return nil
    }

    /// The blocks of one type in a PEM text, as DER, in the order of the text; nil where it has a damaged block.
    static func blocks(of type: String, in text: [UInt8]) -> [[UInt8]]? {
        guard let source = unsafe BIO_new_mem_buf(text, Int32(clamping: text.count)) else { return nil }
        defer {
            unsafe BIO_free(source)
            ERR_clear_error()
        }
        var blocks: [[UInt8]] = []
        while true {
            var name: UnsafeMutablePointer<CChar>?
            var header: UnsafeMutablePointer<CChar>?
            var data: UnsafeMutablePointer<UInt8>?
            var length = 0
            guard unsafe PEM_read_bio(source, &name, &header, &data, &length) == 1 else {
                // "No start line" is the end of the file; every other error is a damaged block.
                return tokenward_ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? blocks : nil
            }
            defer {
                unsafe tokenward_OPENSSL_free(name)
                unsafe tokenward_OPENSSL_free(header)
                unsafe tokenward_OPENSSL_free(data)
            }
            guard let name = unsafe name, let data = unsafe data, unsafe String(cString: name) == type else { continue }
            unsafe blocks.append(Array(UnsafeBufferPointer(start: data, count: length)))
        }
    }
}
