import AgentAPI
import Identities
import SignatureSchemes
import TokenService
import Tokens
import X509

/// Signs with a key on a token: for one attempt of a profile, or for a person.
struct TokenSigner: Sendable {
    let tokens: Tokens
    let occasion: Occasion
    let allow: AllowList

    /// Signs, and verifies: a signature that the certificate does not verify is of no use to anybody.
    ///
    /// - Parameter key: The identity's, as its token shows it now.
    func sign(
        _ message: [UInt8], by scheme: SignatureScheme, with key: KeyLocation, of found: IdentityFinder.Found
    ) async throws(Problem) -> [UInt8] {
        let certificate = found.identity.certificate
        let signature = try await signature(
            over: message, by: scheme, with: SigningKey(key, of: certificate.publicKey), on: found.token)
        guard certificate.verifies(signature: signature, message: message, scheme: scheme) else { throw key.misfit }
        return signature
    }

    /// The token's signature, not verified yet.
    func signature(
        over message: [UInt8], by scheme: SignatureScheme, with key: SigningKey, on token: FoundToken
    ) async throws(Problem) -> [UInt8] {
        let digest = Digest.hash(message, scheme.hash).prefix(key.publicKey.longestDigest)
        return try await tokens.sign(
            SignRequest(
                token: key.token, keyID: key.id, keyLabel: key.label, publicHalf: key.publicHalf, scheme: scheme,
                message: message, digest: Array(digest)),
            on: token, isAskedByName: occasion == .demand,
            in: SigningFlow(users: allow.users, groups: allow.groups))
    }
}

/// A private key, as its token is asked for it.
struct SigningKey: Sendable {
    let token: TokenReference
    let id: [UInt8]
    /// Nil where the key has not been seen.
    let label: [UInt8]?
    let publicHalf: PublicHalf?
    /// The key that should verify its signatures.
    let publicKey: PublicKey
}

extension SigningKey {
    init(_ key: KeyLocation, of publicKey: PublicKey) {
        self.init(
            token: TokenReference(slotID: key.slotID, token: key.token), id: key.id, label: key.label,
            publicHalf: key.publicHalf, publicKey: publicKey)
    }
}

extension PublicKey {
    /// The bytes of a hash that ECDSA uses: as many as the curve's order has (FIPS 186-5 §6.4.1). Some tokens take no more.
    fileprivate var longestDigest: Int {
        switch self {
        case .ec(.p256, _): 32
        case .ec(.p384, _): 48
        case .ec, .rsa, .other: .max
        }
    }
}

extension KeyLocation {
    /// The problem if the certificate does not verify a signature. A key that was never compared with the certificate
    /// is another certificate's key.
    fileprivate var misfit: Problem {
        isConfirmed
            ? Problem(
                .signatureInvalid, "the signature of \(uri, .uri) does not fit the certificate, so it was not sent",
                hint: "the token has signed with another key than the one it shows: try again, or try another module")
            : Problem(
                .noIdentity,
                "\(uri, .uri) is not the certificate's key: its signature does not fit, so it was not sent",
                hint: "give the certificate the CKA_ID of its own key, or name that key as private-key")
    }

    /// The key's name; it tells keys with one CKA_ID apart, too.
    fileprivate var publicHalf: PublicHalf? {
        switch visibility {
        case .seen(let key), .publicHalf(let key): key.publicHalf
        case .hidden: nil
        }
    }
}
