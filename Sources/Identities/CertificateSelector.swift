package import PKCS11URI
package import X509

/// A profile's requirements for its certificate. Nil matches everything.
package struct CertificateSelector: Hashable, Sendable {
    /// Where the certificate is: the first place that has one that can be used counts, the others are spares. None:
    /// anywhere.
    package var uris: [PKCS11URI]
    /// Which private keys count; nil: all.
    package var key: PKCS11URI?
    package var subject: DistinguishedName?
    package var issuer: DistinguishedName?
    package var serial: SerialNumberText?

    package init(
        uris: [PKCS11URI] = [], key: PKCS11URI? = nil, subject: DistinguishedName? = nil,
        issuer: DistinguishedName? = nil, serial: SerialNumberText? = nil
    ) {
        self.uris = uris
        self.key = key
        self.subject = subject
        self.issuer = issuer
        self.serial = serial
    }

    /// Why the names and the number leave a certificate out.
    func reasons(against certificate: Certificate) -> [DropReason] {
        var reasons: [DropReason] = []
        if let subject, !subject.matches(certificate.subject) { reasons.append(.otherSubject) }
        if let issuer, !issuer.matches(certificate.issuer) { reasons.append(.otherIssuer) }
        if let serial, serial.reading(of: certificate.serial) == nil { reasons.append(.otherSerial) }
        return reasons
    }
}
