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

    /// CKA_KEY_TYPE.
    var keyType: UInt64 {
        switch self {
        case .rsa: KeyType.rsa
        case .ec: KeyType.ec
        case .other(let keyType): keyType
        }
    }

    /// Whether both are known and differ. An EC private key often shows no point, and then contradicts nothing.
    func contradicts(_ other: PublicHalf?) -> Bool {
        switch (self, other) {
        case (_, nil): return false
        case (.rsa, .rsa), (.ec, .ec):
            guard let value, let otherValue = other?.value else { return false }
            return value.withoutExponent != otherValue.withoutExponent
        case (.other, .other): return self != other
        default: return true
        }
    }
}
