import KeeperService
import PKCS11
import TokenService
import TokenWorker

extension KeySelection {
    /// What the token says of the pair.
    ///
    /// - Throws: `.notFound`, `.ambiguous`.
    func read(on token: OpenToken) throws(KeeperFailure) -> KeyReport { try find(on: token).report }

    /// The objects of a pair: the one private key that is meant, and the public keys that belong to it; where there is no such
    /// private key, the one public key that is meant.
    struct Pair {
        var privateKey: Object?
        var publicKeys: [Object]
        var report: KeyReport
    }

    func find(on token: OpenToken) throws(KeeperFailure) -> Pair {
        let privateKeys = try token.named(.privateKey).filter(isMeant)
        let publicKeys = try token.named(.publicKey)
        guard privateKeys.count < 2 else {
            throw KeeperFailure(.ambiguous, "\(privateKeys.count) private keys of this name")
        }
        guard let key = privateKeys.first else { return try half(of: publicKeys.filter(isMeant), on: token) }
        let (values, halves) = try KeeperFailure.catching { () throws(PKCS11Error) in
            let values = try token.attributes(Self.ofPrivateKey, of: key.object)
            var halves: [(object: Object, half: PublicHalf)] = []
            for other in publicKeys where other.id == key.id {
                halves.append((other.object, PublicHalf(try token.attributes(OpenToken.ofPublicKey, of: other.object))))
            }
            return (values, halves)
        }
        let own = PublicHalf(values)
        // An EC private key often shows no point; then the id is all that tells which public key is its own.
        let ofPair = halves.filter { own.value == nil || $0.half.value == nil || own.value == $0.half.value }
        let report = KeyReport(
            key, own.value == nil ? ofPair.first?.half ?? own : own, values, hasPublicKey: !ofPair.isEmpty)
        return Pair(privateKey: key.object, publicKeys: ofPair.map(\.object), report: report)
    }

    private func half(of publicKeys: [NamedObject], on token: OpenToken) throws(KeeperFailure) -> Pair {
        guard publicKeys.count < 2 else {
            throw KeeperFailure(.ambiguous, "\(publicKeys.count) public keys of this name, and no private key")
        }
        guard let key = publicKeys.first else { throw KeeperFailure(.notFound, "no private key of this name") }
        let half = try KeeperFailure.catching { () throws(PKCS11Error) in
            PublicHalf(try token.attributes(OpenToken.ofPublicKey, of: key.object))
        }
        let report = KeyReport(
            id: key.id, label: key.label, publicHalf: half, hasPrivateKey: false, hasPublicKey: true)
        return Pair(privateKey: nil, publicKeys: [key.object], report: report)
    }

    private func isMeant(_ object: NamedObject) -> Bool {
        id ?? object.id == object.id && label ?? object.label == object.label
    }

    private static let ofPrivateKey =
        OpenToken.ofPublicKey + [
            .local, .sensitive, .alwaysSensitive, .extractable, .neverExtractable, .sign, .alwaysAuthenticate, .decrypt,
            .unwrap, .derive, .signRecover,
        ]
}

extension KeyReport {
    fileprivate init(_ key: NamedObject, _ publicHalf: PublicHalf, _ values: AttributeValues, hasPublicKey: Bool) {
        let uses: [(Attribute, Use)] = [
            (.decrypt, .decrypt), (.unwrap, .unwrap), (.derive, .derive), (.signRecover, .signRecover),
        ]
        self.init(
            id: key.id, label: key.label, publicHalf: publicHalf, isLocal: values.flag(.local),
            isSensitive: values.flag(.sensitive), isAlwaysSensitive: values.flag(.alwaysSensitive),
            isExtractable: values.flag(.extractable), isNeverExtractable: values.flag(.neverExtractable),
            canSign: values.flag(.sign), otherUses: uses.filter { values.flag($0.0) == true }.map(\.1),
            alwaysAuthenticates: values.flag(.alwaysAuthenticate), hasPublicKey: hasPublicKey)
    }
}
