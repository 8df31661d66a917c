package import PKCS11URI
package import TokenService
package import X509

extension TokenSnapshot {
    /// The private keys that the URI means, in the order of the token.
    package func privateKeys(meantBy uri: PKCS11URI) -> [KeyObject] {
        keys.filter {
            $0.keyClass == .privateKey && uri.matchesObject(label: $0.label, id: $0.id, type: .privateKey)
        }
    }

    /// The public keys that a private key could have, the likeliest first: what it shows itself, then public key objects and
    /// certificates of its CKA_ID, those with its label before the others. None contradicts what it shows.
    ///
    /// Only a signature tells which of several it is: a certificate of the same CKA_ID may be another key's.
    package func publicKeys(of key: KeyObject) -> [PublicKeyInfo] {
        var found: [PublicKeyInfo] = []
        func add(_ info: PublicKeyInfo?) {
            guard let info, found.count < TokenKeys.maximumPerID, !found.contains(info),
                key.publicHalf.compared(with: info.key) != .different
            else { return }
            found.append(info)
        }
        add(PublicKeyInfo(key.publicHalf))
        let halves = keys.filter { $0.keyClass == .publicKey && key.isNamedLike(label: $0.label, id: $0.id) }
        for half in key.labelledAlikeFirst(halves, label: \.label) { add(PublicKeyInfo(half.publicHalf)) }
        let written = certificates.filter { key.isNamedLike(label: $0.label, id: $0.id) }
        for object in key.labelledAlikeFirst(written, label: \.label) {
            guard let certificate = try? Certificate(der: object.value) else { continue }  // it says nothing of the key
            add(PublicKeyInfo(of: certificate))
        }
        // The exponent of nearly all RSA keys: where it is not, the signature tells.
        if case .rsa(let modulus, let exponent) = key.publicHalf, exponent.isEmpty {
            add(PublicKeyInfo(modulus: modulus, exponent: [1, 0, 1]))
        }
        return found
    }
}

extension KeyObject {
    /// Of one CKA_ID; where one of the two has none, of one label.
    fileprivate func isNamedLike(label: [UInt8], id: [UInt8]) -> Bool {
        if !self.id.isEmpty, !id.isEmpty { return self.id == id }
        return !label.isEmpty && self.label == label
    }

    fileprivate func labelledAlikeFirst<Object>(_ objects: [Object], label: (Object) -> [UInt8]) -> [Object] {
        objects.filter { label($0) == self.label } + objects.filter { label($0) != self.label }
    }
}

extension PublicKeyInfo {
    /// Nil where the token tells too little, or a curve that is spelled out.
    init?(_ half: PublicHalf) {
        switch half {
        case .rsa(let modulus, let exponent):
            guard !modulus.isEmpty, !exponent.isEmpty else { return nil }
            self.init(modulus: modulus, exponent: exponent)
        case .ec(let parameters, let point):
            guard parameters.first == 0x06, case .ec(let point)? = PublicKeyValue(point: point) else { return nil }
            self.init(curve: parameters, point: point)
        case .other: return nil
        }
    }
}
