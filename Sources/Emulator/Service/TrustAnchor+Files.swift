import COpenSSL

extension TrustAnchor {
    /// Makes a trust anchor of PEM files, with the rules that the service has for them.
    ///
    /// Source: IAM Roles Anywhere user guide, "trust model": CA:true, keyCertSign, SHA-256 or stronger, at most two
    /// certificates and two revocation lists of 300,000 bytes.
    init(name: ResourceName, files: [String], revocationLists lists: [String] = []) throws(ConfigurationError) {
        var certificates: [[UInt8]] = []
        for file in files {
            guard let blocks = PEMFile.blocks(of: "CERTIFICATE", in: try ConfigurationFile.read(file)), !blocks.isEmpty
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
        var revocationLists: [[UInt8]] = []
        for file in lists {
            let text = try ConfigurationFile.read(file)
            guard text.count <= 300_000, let blocks = PEMFile.blocks(of: "X509 CRL", in: text), !blocks.isEmpty,
                blocks.allSatisfy({ RevocationList(der: $0) != nil })
            else {
                throw ConfigurationError(path: file, reason: "it holds no PEM revocation list within 300,000 bytes")
            }
            revocationLists += blocks
        }
        guard revocationLists.count <= 2 else {
            throw ConfigurationError(path: lists.first ?? name.text, reason: "a trust anchor has at most two CRLs")
        }
        self.init(name: name, certificates: certificates, revocationLists: revocationLists)
    }

    private static func objection(to der: [UInt8]) -> String? {
        guard let certificate = ReceivedCertificate(der: der) else { return "a certificate in it cannot be parsed" }
        // The service's own words, seen in public write-ups.
        if !certificate.isCA { return "Incorrect basic constraints for CA certificate" }
        if !certificate.allowsKeyUsage(KU_KEY_CERT_SIGN) { return "a trust anchor needs the keyCertSign key usage" }
        if !certificate.isSignedWithStrongDigest { return "a trust anchor must be signed with SHA-256 or stronger" }
        return nil
    }
}
