import Encodings
import KeeperService
import PKCS11
import PKCS11Management
import TokenService
import TokenWorker

extension KeyGeneration {
    /// Has the token make the pair, and reads back what it has become. After a failure the token is as it was, or the failure
    /// says what is left.
    ///
    /// - Throws: `.exists` before anything is made: NSS puts a new key in the place of an old one with the same CKA_ID.
    func carryOut(on token: OpenToken) throws(KeeperFailure) -> KeyReport {
        try checkAbility(of: token)
        let others = try token.checkAreFree(id: id, label: label)
        var made: Set<Object> = []
        do throws(KeeperFailure) {
            made = try make(on: token)
            return try readBack(on: token)
        } catch {
            var failure = error
            failure.remains = token.removeRemains(
                of: [.privateKey, .publicKey], id: id, label: label, made: made.subtracting(others),
                "half of the pair")
            throw failure
        }
    }

    // MARK: Before

    private func checkAbility(of token: OpenToken) throws(KeeperFailure) {
        let (information, listed) = try KeeperFailure.catching { () throws(PKCS11Error) in
            (try token.look(), try token.mechanisms())
        }
        guard !TokenFlags(rawValue: information.flags).contains(.writeProtected) else {
            throw KeeperFailure(.readOnly, "the token is write-protected")
        }
        guard mechanism.isAmong(listed) else {
            throw KeeperFailure(
                .unsupported, "its module offers no way to make \(mechanism == .rsa ? "an RSA" : "an EC") key on it")
        }
    }

    // MARK: The pair

    private var mechanism: KeyPairMechanism { type.curve == nil ? .rsa : .ec }

    /// With all that forbids other uses first: SoftHSM lets a key decrypt, unwrap and derive where nothing is said. Tokens
    /// that do not know such an attribute get the template that every one of them takes. tpm2-pkcs11 1.9 answers the other one
    /// with CKR_GENERAL_ERROR, and leaves its objects in the TPM's few places.
    private func make(on token: OpenToken) throws(KeeperFailure) -> Set<Object> {
        let isTPM = token.library?.manufacturer.starts(with: "tpm2-software".utf8) == true
        do throws(PKCS11Error) {
            return try make(on: token, withProhibitions: !isTPM)
        } catch {
            guard error.returnValue?.changeMeaning == .template else { throw KeeperFailure(error) }
        }
        if let remains = token.removeRemains(of: [.privateKey, .publicKey], id: id, label: label, "half of the pair") {
            throw KeeperFailure(.function, "the token refused the attributes of the key", remains: remains)
        }
        return try KeeperFailure.catching { () throws(PKCS11Error) in
            try make(on: token, withProhibitions: false)
        }
    }

    private func make(on token: OpenToken, withProhibitions: Bool) throws(PKCS11Error) -> Set<Object> {
        var (publicKey, privateKey) = (publicTemplate, privateTemplate)
        if !withProhibitions {
            publicKey.leaveOut([.encrypt, .wrap, .verifyRecover])
            privateKey.leaveOut([.decrypt, .unwrap, .derive, .signRecover])
        }
        let pair = try token.with { (session) throws(PKCS11Error) in
            try session.generateKeyPair(mechanism, publicKey: publicKey, privateKey: privateKey)
        }
        return [pair.publicKey, pair.privateKey]
    }

    var privateTemplate: ObjectTemplate {
        var template = commonTemplate
        template.set(.privateKey)
        for attribute in [Attribute.isPrivate, .sensitive, .sign] { template.set(attribute, true) }
        for attribute in [Attribute.extractable, .decrypt, .unwrap, .derive, .signRecover] {
            template.set(attribute, false)
        }
        return template
    }

    var publicTemplate: ObjectTemplate {
        var template = commonTemplate
        template.set(.publicKey)
        template.set(.verify, true)
        for attribute in [Attribute.isPrivate, .encrypt, .wrap, .verifyRecover] { template.set(attribute, false) }
        if let curve = type.curve { template.set(.ecParameters, curve) }
        if let bits = type.modulusBits {
            template.set(.modulusBits, bits)
            template.set(.publicExponent, [1, 0, 1])
        }
        return template
    }

    private var commonTemplate: ObjectTemplate {
        var template = ObjectTemplate()
        template.set(.keyType, type.curve == nil ? KeyType.rsa : KeyType.ec)
        template.set(.onToken, true)
        template.set(.id, id)
        template.set(.label, label)
        return template
    }

    // MARK: After

    /// - Throws: `.disobeyed` for a key that is not what was asked for: it must not be used.
    private func readBack(on token: OpenToken) throws(KeeperFailure) -> KeyReport {
        let report = try KeySelection(token: self.token, id: id, label: nil).readNew(on: token)
        guard type.isType(of: report.publicHalf) else {
            throw KeeperFailure(.disobeyed, "the token has made a key of another type, which is not kept")
        }
        return report
    }
}
