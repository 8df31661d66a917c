package import PKCS11URI

/// How the tokens that a URI matches get their PIN.
package struct TokenRule: Hashable, Sendable {
    package enum PINSource: Hashable, Sendable {
        case prompt
        /// An absolute path to a file of ours with mode 0600 or less.
        case file(String)
        /// The name of a systemd credential: a file in `$CREDENTIALS_DIRECTORY` (systemd.exec(5)).
        case credential(String)
        /// The reader's own pinpad (CKF_PROTECTED_AUTHENTICATION_PATH).
        case protected
    }
    package var uri: PKCS11URI
    package var pinSource: PINSource
    /// How long a PIN that was typed lasts, in seconds; 0: one signature.
    package var pinLifetimeSeconds: Int
    /// The token's keys may want a touch for each signature.
    package var touch: Bool
    /// Words that ykcs11 takes for commands are sent in the place of a PIN.
    package var reservedPINs: Bool

    /// Where no rule says otherwise, in seconds: a working day.
    package static let usualPINLifetime = 28_800

    package init(
        uri: PKCS11URI, pinSource: PINSource, pinLifetimeSeconds: Int = usualPINLifetime, touch: Bool = false,
        reservedPINs: Bool = false
    ) {
        self.uri = uri
        self.pinSource = pinSource
        self.pinLifetimeSeconds = pinLifetimeSeconds
        self.touch = touch
        self.reservedPINs = reservedPINs
    }
}
