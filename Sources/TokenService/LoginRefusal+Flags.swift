extension LoginRefusal {
    /// What the token's flags say against a login (PKCS#11 2.40 §3.2).
    package init?(flags: TokenFlags, isStored: Bool) {
        if flags.contains(.userPINLocked) {
            self = .locked
        } else if flags.contains(.userPINToBeChanged) {
            self = .toBeChanged
        } else if !flags.contains(.userPINInitialized) {
            self = .notInitialized
        } else if flags.contains(.userPINFinalTry) {
            self = .finalTry
        } else if isStored, flags.contains(.userPINCountLow) {
            self = .countLow
        } else {
            return nil
        }
    }
}
