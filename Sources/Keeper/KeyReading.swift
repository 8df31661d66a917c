import KeeperService
import PKCS11
import TokenService
import TokenWorker

extension KeySelection {
    /// What the token says of the pair.
    ///
    /// - Throws: `.notFound`, `.ambiguous`.
    func read(on token: OpenToken) throws(KeeperFailure) -> KeyReport { try find(on: token).report }

    /// What the token says of a pair that it has just made or taken.
    ///
    /// - Throws: `.disobeyed` for none, and for one that could leave the token, or that is gone with this process.
    func readNew(on token: OpenToken) throws(KeeperFailure) -> KeyReport {
        let pair: Pair
        do throws(KeeperFailure) {
            pair = try find(on: token)
        } catch {
            guard error.kind == .notFound || error.kind == .ambiguous else { throw error }
            throw KeeperFailure(.disobeyed, "the token says that the key is made, and shows \(error.text)")
        }
        guard let privateKey = pair.privateKey else {
            throw KeeperFailure(.disobeyed, "the token says that the key is made, and shows its public key alone")
        }
        let values = try KeeperFailure.catching { () throws(PKCS11Error) in
            try token.attributes([.onToken], of: privateKey)
        }
        guard values.flag(.onToken) != false else {
            throw KeeperFailure(.disobeyed, "the token has made a key that it forgets at once, which is not kept")
        }
        if pair.report.isExtractable == true || pair.report.isSensitive == false {
            throw KeeperFailure(.disobeyed, "the token has made a key that could leave it, which is not kept")
        }
        return pair.report
    }

    /// The objects of a pair: the one private key that is meant, and the public keys that belong to it; where there is no such
    /// private key, the one public key that is meant.
    struct Pair {
        var privateKey: Object?
        var publicKeys: [Object]
        var report: KeyReport
    }

    func find(on token: OpenToken) throws(KeeperFailure) -> Pair {
        let allPrivateKeys = try token.named(.privateKey)
        let privateKeys = allPrivateKeys.filter(isMeant)
        let publicKeys = try token.named(.publicKey)
        guard privateKeys.count < 2 else {
            throw KeeperFailure(.ambiguous, "\(privateKeys.count) private keys of this name")
        }
        guard let key = privateKeys.first else {
            // The public key of a private key that has another label is not what stands alone here.
            let taken = Set(allPrivateKeys.map(\.id)).subtracting([[]])
            return try half(of: publicKeys.filter { isMeant($0) && !taken.contains($0.id) }, on: token)
        }
        let (values, halves) = try KeeperFailure.catching { () throws(PKCS11Error) in
            let values = try token.attributes(Self.ofPrivateKey, of: key.object)
            var halves: [(key: NamedObject, half: PublicHalf)] = []
            for other in publicKeys where other.id == key.id {
                halves.append((other, PublicHalf(try token.attributes(OpenToken.ofPublicKey, of: other.object))))
            }
            return (values, halves)
        }
        let own = PublicHalf(values)
        let hasIDAlone = !key.id.isEmpty && allPrivateKeys.count { $0.id == key.id } == 1
        let ofPair = Self.own(halves, of: key, own, hasIDAlone: hasIDAlone)
        let report = KeyReport(
            key, own.value == nil ? ofPair.first?.half ?? own : own, values, hasPublicKey: !ofPair.isEmpty)
        return Pair(privateKey: key.object, publicKeys: ofPair.map(\.key.object), report: report)
    }

    /// The public keys that surely belong to a private key, of those with its id: they are deleted with it.
    ///
    /// - Parameter hasIDAlone: No other private key has its id.
    private static func own(
        _ halves: [(key: NamedObject, half: PublicHalf)], of key: NamedObject, _ own: PublicHalf, hasIDAlone: Bool
    ) -> [(key: NamedObject, half: PublicHalf)] {
        if let value = own.value {
            let proven = halves.filter { $0.half.value == value }
            if !proven.isEmpty { return proven }
        }
        // An EC private key often shows no point: then the id tells, and where several have it, the label.
        let possible = halves.filter { own.value == nil || $0.half.value == nil }
        let named = possible.filter { !key.label.isEmpty && $0.key.label == key.label }
        let meant = hasIDAlone && Set(possible.map(\.half)).count == 1 ? possible : named
        return Set(meant.map(\.half)).count == 1 ? meant : []
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
