import PKCS11
import TokenService

extension OpenToken {
    /// Every X.509 certificate that the token shows. One without a value that can be read has an empty one, so that
    /// people are told of it.
    func certificates(in room: inout ReadingRoom) throws(PKCS11Error) -> [CertificateObject] {
        var certificates: [CertificateObject] = []
        for object in try objects(.certificate) {
            guard let values = try readable(object, [.certificateType, .id, .label, .value]) else { continue }
            // CKC_X_509 is 0; a token that does not say is given the benefit of the doubt.
            guard values.number(.certificateType) ?? 0 == 0 else { continue }
            let certificate = CertificateObject(
                id: values[.id] ?? [], label: values[.label] ?? [], value: values[.value] ?? [])
            try room.take(certificate.id, certificate.label, certificate.value)
            certificates.append(certificate)
        }
        return certificates
    }

    func keys(in room: inout ReadingRoom) throws(PKCS11Error) -> [KeyObject] {
        try keys(.privateKey, as: .privateKey, &room) + keys(.publicKey, as: .publicKey, &room)
    }

    private func keys(
        _ objectClass: Object.Class, as keyClass: KeyObject.Class, _ room: inout ReadingRoom
    ) throws(PKCS11Error) -> [KeyObject] {
        var keys: [KeyObject] = []
        let isPrivate = keyClass == .privateKey
        for object in try objects(objectClass) {
            let wanted: [Attribute] = [.id, .label] + (isPrivate ? [.sign, .alwaysAuthenticate] : [])
            guard let values = try readable(object, wanted), let half = try readable(object, Self.ofPublicHalf)
            else { continue }
            let key = KeyObject(
                keyClass: keyClass, id: values[.id] ?? [], label: values[.label] ?? [], publicHalf: PublicHalf(half),
                canSign: isPrivate && values.flag(.sign) ?? true,
                alwaysAuthenticates: values.flag(.alwaysAuthenticate) ?? false)
            try room.take(key.id, key.label, key.publicHalf.values)
            keys.append(key)
        }
        return keys
    }

    /// Nil for an object that gives its attributes to nobody, which must not hide the others.
    private func readable(_ object: Object, _ wanted: [Attribute]) throws(PKCS11Error) -> AttributeValues? {
        do throws(PKCS11Error) {
            return try attributes(wanted, of: object)
        } catch {
            guard error.concernsOneObject else { throw error }
            return nil
        }
    }

    /// Whether the token has a key that wants the PIN at each signature. One that cannot tell may have.
    func mayAskEachTime() -> Bool {
        do throws(PKCS11Error) {
            for key in try objects(.privateKey) where try asksEachTime(key) { return true }
            return false
        } catch {
            return true
        }
    }

    /// CKA_ALWAYS_AUTHENTICATE; false where the token does not say.
    func asksEachTime(_ key: Object) throws(PKCS11Error) -> Bool {
        try attributes([.alwaysAuthenticate], of: key).flag(.alwaysAuthenticate) ?? false
    }

    private static let ofPublicHalf: [Attribute] = [.keyType, .modulus, .publicExponent, .ecParameters, .ecPoint]

    func publicHalf(of key: Object) throws(PKCS11Error) -> PublicHalf {
        PublicHalf(try attributes(Self.ofPublicHalf, of: key))
    }
}

extension PublicHalf {
    fileprivate init(_ values: AttributeValues) {
        self =
            switch values.number(.keyType) {
            case KeyType.rsa: .rsa(modulus: values[.modulus] ?? [], exponent: values[.publicExponent] ?? [])
            case KeyType.ec: .ec(parameters: values[.ecParameters] ?? [], point: values[.ecPoint] ?? [])
            case let other: .other(keyType: other ?? .max)
            }
    }
}
