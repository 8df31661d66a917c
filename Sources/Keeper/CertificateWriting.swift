import Encodings
import KeeperService
import PKCS11
import PKCS11Management
import TokenService
import TokenWorker
import X509

extension CertificateInstallation {
    /// Writes the certificates that the token has not yet, and looks whether all are there. After a failure the token is as it
    /// was, or the failure says how it is.
    ///
    /// - Returns: Those that have been written.
    func carryOut(on token: OpenToken) throws(KeeperFailure) -> CertificateChanges {
        let parsed = try certificates.map { (der) throws(KeeperFailure) in try Self.parsed(der) }
        let flags = try KeeperFailure.catching { () throws(PKCS11Error) in try token.look().flags }
        guard !TokenFlags(rawValue: flags).contains(.writeProtected) else {
            throw KeeperFailure(.readOnly, "the token is write-protected")
        }
        try checkHasKey(token)
        let before = try token.storedCertificates()
        let known = Set(before.map(\.der))
        let missing = NewCertificate.names(
            own: parsed.first, intermediates: Array(parsed.dropFirst()), id: id, label: label,
            beside: before.map { ShownCertificate(der: $0.der, id: $0.name.id, label: $0.name.label) }
        ).filter { !known.contains($0.certificate.der) }
        do throws(KeeperFailure) {
            for certificate in missing { try write(certificate, to: token) }
            try check(before, missing, on: token)
        } catch {
            var failure = error
            failure.remains = restore(before, without: missing, on: token)
            throw failure
        }
        return CertificateChanges(certificates: missing.map(\.certificate.der))
    }

    private static func parsed(_ der: [UInt8]) throws(KeeperFailure) -> Certificate {
        do throws(CertificateError) {
            return try Certificate(der: der)
        } catch {
            throw KeeperFailure(.protocol, "the certificate cannot be read: \(error.message)")
        }
    }

    private func checkHasKey(_ token: OpenToken) throws(KeeperFailure) {
        let count = try token.named(.privateKey).count { $0.id == id && $0.label == label }
        guard count == 1 else {
            throw KeeperFailure(
                count == 0 ? .notFound : .ambiguous,
                "\(count == 0 ? "no private key" : "\(count) private keys") with the id \(Hexadecimal.encode(id))")
        }
    }

    private func write(_ certificate: NewCertificate, to token: OpenToken) throws(KeeperFailure) {
        do throws(KeeperFailure) {
            try token.write(certificate)
        } catch {
            guard error.kind == .unsupported else { throw error }
            throw KeeperFailure(.noCertificates, "its module takes no certificate (\(error.text))")
        }
    }

    /// ykcs11 keeps one certificate for each id, and overwrites.
    private func check(
        _ before: [StoredCertificate], _ new: [NewCertificate], on token: OpenToken
    ) throws(KeeperFailure) {
        let all = try ShownCertificate.all(on: token)
        let shown = Set(all.map(\.der))
        guard new.areAll(among: all) else {
            throw KeeperFailure(.disobeyed, "the token says that the certificates are written, and does not show them")
        }
        guard shown.isSuperset(of: before.map(\.der)) else {
            throw KeeperFailure(.disobeyed, "the token has overwritten a certificate that it had")
        }
    }

    /// Deletes what this attempt has written, and writes again what it has overwritten.
    ///
    /// - Returns: What is there all the same, or is lost; nil where the token has the certificates that it had.
    private func restore(
        _ before: [StoredCertificate], without new: [NewCertificate], on token: OpenToken
    ) -> String? {
        let known = Set(before.map(\.der))
        // A stray may show no value: its name tells that it is of this attempt.
        let isStray = { (shown: StoredCertificate) in
            !known.contains(shown.der) && new.contains { $0.id == shown.name.id && $0.label == shown.name.label }
        }
        do throws(KeeperFailure) {
            for stray in try token.storedCertificates() where isStray(stray) {
                try? token.with { (session) throws(PKCS11Error) in try session.destroy(stray.name.object) }
            }
            let left = Set(try token.storedCertificates().map(\.der))
            for lost in before where !left.contains(lost.der) {
                guard let certificate = try? Certificate(der: lost.der) else { continue }
                try? token.write(
                    NewCertificate(certificate: certificate, id: lost.name.id, label: lost.name.label))
            }
            let now = try token.storedCertificates()
            if now.contains(where: isStray) {
                return "a new certificate with the id \(Hexadecimal.encode(id)) is left on it"
            }
            return known.isSubset(of: now.map(\.der)) ? nil : "a certificate that was on it is lost"
        } catch {
            return "it could not be looked at whether a new certificate is left on it (\(error.text))"
        }
    }
}

extension CertificateRemoval {
    /// Deletes the certificates, and looks whether they, and no others, are gone.
    ///
    /// - Returns: Those that were there.
    /// - Throws: `.notFound` where none was; `.disobeyed` where the token has answered CKR_OK and done something else.
    func carryOut(on token: OpenToken) throws(KeeperFailure) -> CertificateChanges {
        let before = try token.storedCertificates()
        let meant = before.filter { certificates.contains($0.der) }
        guard !meant.isEmpty else { throw KeeperFailure(.notFound, "no such certificate") }
        for certificate in meant {
            try KeeperFailure.catching { () throws(PKCS11Error) in
                try token.with { (session) throws(PKCS11Error) in try session.destroy(certificate.name.object) }
            }
        }
        let left = try token.storedCertificates().map(\.der)
        guard !left.contains(where: certificates.contains) else {
            throw KeeperFailure(.disobeyed, "the token says that the certificate is deleted, and still has it")
        }
        guard left.count == before.count - meant.count else {
            throw KeeperFailure(
                .disobeyed, "the certificate is deleted", remains: "another certificate is gone with it")
        }
        return CertificateChanges(certificates: meant.map(\.der))
    }
}

/// A certificate on a token, as it is stored.
struct StoredCertificate {
    let name: NamedObject
    /// CKA_VALUE; empty where the token shows none.
    let der: [UInt8]
}

extension OpenToken {
    func storedCertificates() throws(KeeperFailure) -> [StoredCertificate] {
        var found: [StoredCertificate] = []
        for name in try named(.certificate) {
            let values = try KeeperFailure.catching { () throws(PKCS11Error) in
                try attributes([.value], of: name.object)
            }
            found.append(StoredCertificate(name: name, der: values[.value] ?? []))
        }
        return found
    }

    func write(_ new: NewCertificate) throws(KeeperFailure) {
        let certificate = new.certificate
        var template = ObjectTemplate()
        template.set(.certificate)
        template.set(.certificateType, 0)  // CKC_X_509
        template.set(.onToken, true)
        template.set(.isPrivate, false)
        if !new.id.isEmpty { template.set(.id, new.id) }
        template.set(.label, new.label)
        template.set(.subject, certificate.subject.der)  // without it SoftHSM leaves half an object behind
        template.set(.issuer, certificate.issuer.der)
        template.set(.serialNumber, certificate.serial.der)
        template.set(.value, certificate.der)
        try KeeperFailure.catching { () throws(PKCS11Error) in
            try with { (session) throws(PKCS11Error) in _ = try session.create(template) }
        }
    }
}
