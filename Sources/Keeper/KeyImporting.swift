import Encodings
import Identities
import KeeperService
import KeyFiles
import PKCS11
import PKCS11Management
import TokenService
import TokenWorker
import X509

extension KeyImport {
    /// Writes key, public key and certificates, and reads back what the token has of them. After a failure the token is as it
    /// was, or the failure says what is left.
    ///
    /// - Throws: `.exists` before anything is written.
    func carryOut(on token: OpenToken, _ opened: consuming HeldKeyFile.Opened) throws(KeeperFailure) -> KeyReport {
        try checkAbility(of: token, for: opened.file.key.publicKey)
        try token.checkAreFree(id: id, label: label)
        try checkIsNew(opened.file.key.publicKey, on: token)
        let certificates = NewCertificate.names(
            own: opened.file.certificate, intermediates: opened.intermediates, id: id, label: label,
            beside: try ShownCertificate.all(on: token))
        do throws(KeeperFailure) {
            try writeKey(opened.file.key, to: token)
            try writePublicKey(opened.file.key.publicKey, to: token)
            for certificate in certificates { try token.write(certificate) }
            return try readBack(opened.file.key.publicKey, certificates, from: token)
        } catch {
            var failure = error
            failure.remains = removeRemains(of: certificates, from: token)
            throw failure
        }
    }

    /// - Returns: The first part that is there all the same, or may be.
    private func removeRemains(of certificates: [NewCertificate], from token: OpenToken) -> String? {
        let pair = token.removeRemains(
            of: [.privateKey, .publicKey, .certificate], id: id, label: label, "a part of the file")
        let others = certificates.filter { $0.label != label }.map {
            token.removeRemains(of: [.certificate], id: $0.id, label: $0.label, "a certificate of the file")
        }
        return ([pair] + others).compactMap(\.self).first
    }

    // MARK: Before

    private func checkAbility(of token: OpenToken, for key: PublicKey) throws(KeeperFailure) {
        let (information, listed) = try KeeperFailure.catching { () throws(PKCS11Error) in
            (try token.look(), try token.mechanisms())
        }
        guard !TokenFlags(rawValue: information.flags).contains(.writeProtected) else {
            throw KeeperFailure(.readOnly, "the token is write-protected")
        }
        guard Mechanism.areForSignatures(of: key.curve == nil ? KeyType.rsa : KeyType.ec, listed) else {
            // openCryptoki 3.8 takes EC keys and does not sign with them.
            throw KeeperFailure(.unsupported, "its module lists no signature with \(key.description) keys")
        }
    }

    /// The same key under another name would be a second pair for the same certificates.
    private func checkIsNew(_ key: PublicKey, on token: OpenToken) throws(KeeperFailure) {
        for objectClass in [Object.Class.privateKey, .publicKey] {
            for object in try token.named(objectClass) {
                let half = try KeeperFailure.catching { () throws(PKCS11Error) in
                    PublicHalf(try token.attributes(OpenToken.ofPublicKey, of: object.object))
                }
                guard half.compared(with: key) != .same else {
                    let id = Hexadecimal.encode(object.id)
                    throw KeeperFailure(.exists, "the key of this file is on it already, with the id \(id)")
                }
            }
        }
    }

    // MARK: The objects

    /// As `KeyGeneration` makes keys, with all that forbids other uses first.
    private func writeKey(_ key: borrowing FilePrivateKey, to token: OpenToken) throws(KeeperFailure) {
        var template = privateTemplate(key.publicKey)
        do throws(PKCS11Error) {
            return try create(template, key, on: token)
        } catch {
            guard error.returnValue?.changeMeaning == .template else { throw Self.failure(error) }
        }
        if let remains = token.removeRemains(of: [.privateKey], id: id, label: label, "the key") {
            throw KeeperFailure(.function, "the token refused the attributes of the key", remains: remains)
        }
        template.leaveOut([.decrypt, .unwrap, .derive, .signRecover])
        do throws(PKCS11Error) {
            try create(template, key, on: token)
        } catch {
            throw Self.failure(error)
        }
    }

    /// Why the token did not take the key.
    private static func failure(_ error: PKCS11Error) -> KeeperFailure {
        switch error.returnValue?.changeMeaning {
        case .template, .unsupported: KeeperFailure(.noImport, "it takes no private keys from outside (\(error))")
        case .readOnly, .full, .otherUser, .other, nil: KeeperFailure(error)
        }
    }

    private func create(
        _ template: ObjectTemplate, _ key: borrowing FilePrivateKey, on token: OpenToken
    ) throws(PKCS11Error) {
        let attributes: [(FilePrivateKey.Component, Attribute)] = [
            (.privateExponent, .privateExponent), (.prime1, .prime1), (.prime2, .prime2), (.exponent1, .exponent1),
            (.exponent2, .exponent2), (.coefficient, .coefficient), (.scalar, .value),
        ]
        try key.withNumbers { (bytes, places) throws(PKCS11Error) in
            let secrets = attributes.compactMap { component, attribute in
                places[component].map { (attribute, $0) }
            }
            _ = try token.with { (session) throws(PKCS11Error) in
                try session.create(template, secrets: secrets, in: bytes)
            }
        }
    }

    private func privateTemplate(_ key: PublicKey) -> ObjectTemplate {
        var template = commonTemplate(key)
        template.set(.privateKey)
        for attribute in [Attribute.isPrivate, .sensitive, .sign] { template.set(attribute, true) }
        for attribute in [Attribute.extractable, .decrypt, .unwrap, .derive, .signRecover] {
            template.set(attribute, false)
        }
        if case .rsa(let modulus, let exponent) = key {
            template.set(.modulus, modulus)
            template.set(.publicExponent, exponent)
        }
        return template
    }

    /// It tells which certificates are the key's: EC private keys often show no point. NSS keeps none beside a private key from
    /// outside; then the id is all that tells.
    private func writePublicKey(_ key: PublicKey, to token: OpenToken) throws(KeeperFailure) {
        do throws(PKCS11Error) {
            try create(publicTemplate(key), on: token)
        } catch {
            guard error.returnValue?.changeMeaning == .template else { throw KeeperFailure(error) }
            if let remains = token.removeRemains(of: [.publicKey], id: id, label: label, "the public key") {
                throw KeeperFailure(.function, "the token refused the attributes of the public key", remains: remains)
            }
        }
    }

    private func publicTemplate(_ key: PublicKey) -> ObjectTemplate {
        var template = commonTemplate(key)
        template.set(.publicKey)
        template.set(.verify, true)
        for attribute in [Attribute.isPrivate, .encrypt, .wrap, .verifyRecover] { template.set(attribute, false) }
        switch key {
        case .rsa(let modulus, let exponent):
            template.set(.modulus, modulus)
            template.set(.publicExponent, exponent)
        case .ec(_, let point):
            // An OCTET STRING (PKCS#11 2.40 mechanisms §2.3.3).
            template.set(.ecPoint, [0x04] + (point.count < 0x80 ? [] : [0x81]) + [UInt8(point.count)] + point)
        case .other: break
        }
        return template
    }

    private func create(_ template: ObjectTemplate, on token: OpenToken) throws(PKCS11Error) {
        _ = try token.with { (session) throws(PKCS11Error) in try session.create(template) }
    }

    private func commonTemplate(_ key: PublicKey) -> ObjectTemplate {
        var template = ObjectTemplate()
        template.set(.keyType, key.curve == nil ? KeyType.rsa : KeyType.ec)
        template.set(.onToken, true)
        template.set(.id, id)
        template.set(.label, label)
        if let curve = key.curve { template.set(.ecParameters, curve) }
        return template
    }

    // MARK: After

    private func readBack(
        _ key: PublicKey, _ certificates: [NewCertificate], from token: OpenToken
    ) throws(KeeperFailure) -> KeyReport {
        let report = try KeySelection(token: self.token, id: id, label: nil).readNew(on: token)
        guard report.publicHalf.compared(with: key) != .different else {
            throw KeeperFailure(.disobeyed, "the token shows another key than the file's, which is not kept")
        }
        guard certificates.areAll(among: try ShownCertificate.all(on: token)) else {
            throw KeeperFailure(.disobeyed, "the token says that the certificates are written, and does not show them")
        }
        return report
    }
}

extension PublicKey {
    /// CKA_EC_PARAMS; nil for RSA.
    fileprivate var curve: [UInt8]? {
        guard case .ec(let curve, _) = self else { return nil }
        return curve.parameters
    }
}
