/// A key pair on a token: an element of `GET /v1/keys`, and the answer to `POST /v1/keys/generate`, `/verify` and `/destroy`,
/// which tell what the token says of the private key as well.
package struct KeyListing: Message {
    package var uri = "?"
    /// The token's label.
    package var token = "?"
    /// The token's serial number.
    package var serial = "?"
    /// CKA_ID in hexadecimal digits.
    package var id = "?"
    /// CKA_LABEL
    package var label = "?"
    /// Such as `RSA-2048` or `P-256`.
    package var keyType = "?"
    /// Whether the token shows the private key: some hide it until they are unlocked.
    package var hasPrivateKey = true
    package var hasPublicKey = true
    /// The certificates with the same id.
    package var certificates = 0
    /// What the token says of the private key; absent in a list, and where the token does not say.
    package var local: Bool?
    package var sensitive: Bool?
    package var alwaysSensitive: Bool?
    package var extractable: Bool?
    package var neverExtractable: Bool?
    package var signOnly: Bool?
    package var alwaysAuthenticate: Bool?
    /// What these words are worth with this token.
    package var remarks: [String] = []

    package init() {}

    package mutating func members(_ coder: inout MessageCoder) {
        coder.member("uri", &uri)
        coder.member("token", &token)
        coder.member("serial", &serial)
        coder.member("id", &id)
        coder.member("label", &label)
        coder.member("key_type", &keyType)
        coder.member("has_private_key", &hasPrivateKey)
        coder.member("has_public_key", &hasPublicKey)
        coder.member("certificates", &certificates)
        coder.member("local", &local)
        coder.member("sensitive", &sensitive)
        coder.member("always_sensitive", &alwaysSensitive)
        coder.member("extractable", &extractable)
        coder.member("never_extractable", &neverExtractable)
        coder.member("sign_only", &signOnly)
        coder.member("always_authenticate", &alwaysAuthenticate)
        coder.member("remarks", &remarks)
    }
}
