import KeeperService
import TokenWorker
import X509

/// A certificate that is to be written to a token, under the name that it gets there.
struct NewCertificate: Hashable {
    let certificate: Certificate
    /// CKA_ID; empty for an intermediate: the id says which key a certificate is of, and is all that NSS tells of it.
    let id: [UInt8]
    /// CKA_LABEL; each has one of its own, because NSS takes one subject a label.
    let label: [UInt8]
}

/// A certificate that a token shows.
struct ShownCertificate: Hashable {
    let der: [UInt8]
    let id: [UInt8]
    let label: [UInt8]

    static func all(on token: OpenToken) throws(KeeperFailure) -> [ShownCertificate] {
        try token.storedCertificates().map { ShownCertificate(der: $0.der, id: $0.name.id, label: $0.name.label) }
    }
}

extension NewCertificate {
    /// The key's own certificate under the key's name, and then the intermediates that are not on the token: `NAME issuer 1`,
    /// and so on, where no certificate is called so.
    ///
    /// - Parameters:
    ///   - id: The key's.
    ///   - label: The key's.
    static func names(
        own: Certificate?, intermediates: [Certificate], id: [UInt8], label: [UInt8], beside shown: [ShownCertificate]
    ) -> [NewCertificate] {
        var names = own.map { [NewCertificate(certificate: $0, id: id, label: label)] } ?? []
        let taken = Set(shown.map(\.label))
        var number = 0
        for intermediate in intermediates where !shown.contains(where: { $0.der == intermediate.der }) {
            var name: [UInt8]
            repeat {
                number += 1
                name = label + Array(" issuer \(number)".utf8)
            } while taken.contains(name)
            names.append(NewCertificate(certificate: intermediate, id: [], label: name))
        }
        return names
    }
}

extension [NewCertificate] {
    /// Whether the token shows each of them, the key's own with the key's id.
    func areAll(among shown: [ShownCertificate]) -> Bool {
        allSatisfy { new in
            shown.contains { $0.der == new.certificate.der && (new.id.isEmpty || $0.id == new.id) }
        }
    }
}
