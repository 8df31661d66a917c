package import PKCS11
package import TokenService

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
        var keys: [KeyObject] = []
        for keyClass in [KeyObject.Class.privateKey, .publicKey] {
            let isPrivate = keyClass == .privateKey
            let wanted = isPrivate ? Self.ofPrivateKey : Self.ofPublicKey
            for object in try objects(isPrivate ? .privateKey : .publicKey) {
                guard let values = try readable(object, wanted) else { continue }
                let key = KeyObject(
                    keyClass: keyClass, id: values[.id] ?? [], label: values[.label] ?? [],
                    publicHalf: PublicHalf(values), canSign: isPrivate && values.flag(.sign) ?? true,
                    alwaysAuthenticates: values.flag(.alwaysAuthenticate) ?? false)
                try room.take(key.id, key.label, key.publicHalf.values)
                keys.append(key)
            }
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
            for key in try objects(.privateKey) {
                if try attributes([.alwaysAuthenticate], of: key).flag(.alwaysAuthenticate) == true { return true }
            }
            return false
        } catch {
            return true
        }
    }

    package static let ofPublicKey: [Attribute] = [
        .id, .label, .keyType, .modulus, .publicExponent, .ecParameters, .ecPoint,
    ]
    static let ofPrivateKey = ofPublicKey + [.sign, .alwaysAuthenticate]
}

extension PublicHalf {
    package init(_ values: AttributeValues) {
        self =
            switch values.number(.keyType) {
            case KeyType.rsa: .rsa(modulus: values[.modulus] ?? [], exponent: values[.publicExponent] ?? [])
            case KeyType.ec: .ec(parameters: values[.ecParameters] ?? [], point: values[.ecPoint] ?? [])
            case let other: .other(keyType: other ?? .max)
            }
    }
}
