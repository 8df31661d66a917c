import COpenSSL

/// What the service demands of an end-entity certificate (IAM Roles Anywhere user guide, "trust model").
enum LeafRules {
    static func check(_ leaf: ReceivedCertificate, at now: UTCTime) throws(Refusal) {
        if leaf.version != 2 { throw .denied("The certificate is not an X.509 v3 certificate") }
        if leaf.isCA { throw .denied("The certificate is a CA certificate") }
        if !leaf.allowsKeyUsage(KU_DIGITAL_SIGNATURE) { throw .insufficientCertificate }
        if !leaf.isSignedWithStrongDigest {
            throw .denied("The certificate is not signed with SHA-256 or stronger")
        }
        if !leaf.hasAcceptedKey {
            throw .denied("The certificate's key is neither RSA of 2048 to 4096 bits nor on P-256, P-384 or P-521")
        }
        if leaf.hasEmptySubject { throw .denied("The certificate has an empty subject") }
        guard let notBefore = leaf.notBefore, let notAfter = leaf.notAfter else {
            throw .denied("The certificate's validity cannot be read")
        }
        if now < notBefore { throw .denied("The certificate is not valid before \(notBefore.extended)") }
        if now > notAfter { throw .denied("The certificate expired at \(notAfter.extended)") }
    }
}
