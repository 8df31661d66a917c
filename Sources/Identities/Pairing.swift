import TokenService

/// The result of looking for a certificate's private key among a token's objects.
enum Pairing: Hashable {
    case seen(KeyObject, isConfirmed: Bool)
    /// The private key needs a login, its public half is here.
    case publicHalf(KeyObject, isConfirmed: Bool)
    /// Keys are shown after a login.
    case hidden
    case none(MissingKey)
}

/// Why a certificate has no private key on its token.
enum MissingKey: Hashable {
    case absent
    /// A key has the certificate's CKA_ID and another public key.
    case differentKey
    /// A key has the certificate's public key and another CKA_ID.
    case differentID
    /// The key that `private-key` names has another public key.
    case namedKeyDiffers
    /// The token has no key that `private-key` names.
    case notNamed
    /// Several private keys could be it, and nothing tells which.
    case ambiguous
    /// The key may not sign (CKA_SIGN).
    case cannotSign
    /// More keys have its CKA_ID than are looked at.
    case crowded
}
