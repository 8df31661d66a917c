import PKCS11URI

/// The token that a PIN, a refusal and a lock belong to: the module that shows it and all that it says of itself. Slot
/// numbers are no part of it.
struct TokenKey: Hashable, Sendable {
    var module: String
    var token: TokenDescription
}
