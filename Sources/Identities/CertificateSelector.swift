package import PKCS11URI
package import X509

/// What a profile wants of its certificate. What is nil matches everything.
package struct CertificateSelector: Hashable, Sendable {
    /// Where the certificate is.
    package var uri: PKCS11URI?
    package var subject: DistinguishedName?
    package var issuer: DistinguishedName?
    package var serial: SerialNumberText?

    package init(
        uri: PKCS11URI? = nil, subject: DistinguishedName? = nil, issuer: DistinguishedName? = nil,
        serial: SerialNumberText? = nil
    ) {
        self.uri = uri
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
    }

    /// Why the names and the number leave a certificate out.
    func reasons(against certificate: Certificate) -> [DropReason] {
        var reasons: [DropReason] = []
        if let subject, !subject.matches(certificate.subject) { reasons.append(.otherSubject) }
        if let issuer, !issuer.matches(certificate.issuer) { reasons.append(.otherIssuer) }
        if let serial, !serial.matches(certificate.serial) { reasons.append(.otherSerial) }
        return reasons
    }
}
