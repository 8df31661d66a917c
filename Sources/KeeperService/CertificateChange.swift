package import TokenService

/// Certificates that are to be written beside a private key: its own, with its id and label, then intermediates. Those
/// that the token has already are not written again.
package struct CertificateInstallation: Hashable, Sendable {
    package var token: TokenReference
    /// CKA_ID of the private key.
    package var id: [UInt8]
    /// CKA_LABEL of the private key.
    package var label: [UInt8]
    /// DER.
    package var certificates: [[UInt8]]

    package init(token: TokenReference, id: [UInt8], label: [UInt8], certificates: [[UInt8]]) {
        self.token = token
        self.id = id
        self.label = label
        self.certificates = certificates
    }
}

/// Certificates that are to be deleted from a token.
package struct CertificateRemoval: Hashable, Sendable {
    package var token: TokenReference
    /// DER.
    package var certificates: [[UInt8]]

    package init(token: TokenReference, certificates: [[UInt8]]) {
        self.token = token
        self.certificates = certificates
    }
}

/// What has been written or deleted.
package struct CertificateChanges: Hashable, Sendable {
    /// DER.
    package var certificates: [[UInt8]]

    package init(certificates: [[UInt8]]) { self.certificates = certificates }

    /// The most certificates of one request.
    static let most = 64
}

extension CertificateInstallation: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(token, id, label, certificates) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            token: try reader.value(), id: try reader.list(upTo: 255), label: try reader.list(upTo: 255),
            certificates: try reader.list(upTo: CertificateChanges.most))
    }
}

extension CertificateRemoval: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(token, certificates) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(token: try reader.value(), certificates: try reader.list(upTo: CertificateChanges.most))
    }
}

extension CertificateChanges: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(certificates) }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(certificates: try reader.list(upTo: Self.most))
    }
}
