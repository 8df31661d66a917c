package import TokenService

/// An act of a person that a token waits for.
package enum Gesture: Hashable, Sendable {
    /// A PIN on the reader's keypad, or at a prompt.
    case pin
    case touch
}

extension Gesture {
    /// The gesture for every signature; nil where a login lasts, or its PIN is stored, so that no person is needed.
    ///
    /// A key that wants its PIN each time (CKA_ALWAYS_AUTHENTICATE) needs no person either while the worker holds a typed
    /// PIN. A PIN that is typed on a keypad is not held.
    package init?(eachSignatureBy rule: TokenRule?, flags: TokenFlags, alwaysAuthenticates: Bool) {
        if rule?.touch == true {
            self = .touch
            return
        }
        guard flags.contains(.loginRequired), let rule, !rule.pinSource.isStored else { return nil }
        guard rule.pinLifetimeSeconds == 0 || (rule.pinSource == .protected && alwaysAuthenticates) else { return nil }
        self = .pin
    }
}

extension TokenRule.PINSource {
    var isStored: Bool {
        switch self {
        case .file, .credential: true
        case .prompt, .protected: false
        }
    }
}
