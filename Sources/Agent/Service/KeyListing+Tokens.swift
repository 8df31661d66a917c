import AgentAPI
import Encodings
import KeeperService
import PKCS11URI
import TokenService
import Tokens
import X509

extension KeyListing {
    /// The key pairs that a token shows as it is: its private keys, and the public keys without one.
    static func all(of token: FoundToken) -> [KeyListing] {
        let keys = token.snapshot.keys
        let privateKeys = keys.filter { $0.keyClass == .privateKey }
        let lonely = keys.filter { key in
            key.keyClass == .publicKey && !privateKeys.contains { $0.id == key.id && $0.mayBePair(with: key) }
        }
        return (privateKeys + lonely).map { key in
            var listing = KeyListing(id: key.id, label: key.label, key.publicHalf, on: token)
            listing.hasPrivateKey = key.keyClass == .privateKey
            let publicKeys = keys.filter { $0.keyClass == .publicKey && $0.id == key.id && key.mayBePair(with: $0) }
            listing.hasPublicKey = !publicKeys.isEmpty
            if listing.keyType == "?", let half = publicKeys.first?.publicHalf { listing.keyType = half.keyTypeName }
            return listing
        }
    }

    /// What a token has said of one key pair.
    ///
    /// - Parameter module: What the token's module says of itself.
    init(_ report: KeyReport, on token: FoundToken, _ module: ModuleReport) {
        self.init(id: report.id, label: report.label, report.publicHalf, on: token)
        hasPrivateKey = report.hasPrivateKey
        hasPublicKey = report.hasPublicKey
        local = report.isLocal
        sensitive = report.isSensitive
        alwaysSensitive = report.isAlwaysSensitive
        extractable = report.isExtractable
        neverExtractable = report.isNeverExtractable
        signOnly = report.canSign.map { $0 && report.otherUses.isEmpty }
        alwaysAuthenticate = report.alwaysAuthenticates
        remarks = KeyProvider(module).remarks(on: report)
    }

    private init(id: [UInt8], label: [UInt8], _ publicHalf: PublicHalf, on token: FoundToken) {
        self.init()
        let uri = token.uri.naming(
            object: label.isEmpty ? nil : label, id: id.isEmpty ? nil : id, type: .privateKey)
        self.uri = "\(uri)"
        self.token = String(decoding: token.snapshot.token.label, as: UTF8.self)
        serial = String(decoding: token.snapshot.token.serial, as: UTF8.self)
        self.id = Hexadecimal.encode(id)
        self.label = String(decoding: label, as: UTF8.self)
        keyType = publicHalf.keyTypeName
        certificates = token.snapshot.certificates.count { $0.id == id }
    }
}

extension KeyObject {
    /// Whether what both tell of the public half speaks for one pair.
    fileprivate func mayBePair(with other: KeyObject) -> Bool {
        guard let own = publicHalf.value, let others = other.publicHalf.value else { return true }
        return own.withoutExponent == others.withoutExponent
    }
}

extension PublicHalf {
    /// Such as `RSA-2048` or `P-256`; "?" for what is not known here.
    fileprivate var keyTypeName: String {
        switch self {
        case .rsa(let modulus, _):
            let bytes = modulus.drop { $0 == 0 }
            return bytes.isEmpty ? "RSA" : "RSA-\(bytes.count * 8 - (bytes.first ?? 1).leadingZeroBitCount)"
        case .ec(let parameters, _):
            let types: [NewKeyType: String] = [.p256: "P-256", .p384: "P-384", .p521: "P-521"]
            return types.first { $0.key.curve == parameters }?.value ?? "EC"
        case .other: return "?"
        }
    }
}
