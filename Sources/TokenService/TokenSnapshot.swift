package import PKCS11URI

/// A token as its worker saw it at one moment: its description, its state, and the objects that it shows.
///
/// Objects with CKA_PRIVATE are in it only when `isLoggedIn` is true.
package struct TokenSnapshot: Hashable, Sendable {
    package var slotID: UInt64
    /// Nil where the module does not tell.
    package var slot: SlotDescription?
    package var token: TokenDescription
    package var flags: TokenFlags
    package var isLoggedIn: Bool
    /// The shortest and the longest PIN that the token takes, in bytes.
    package var pinLength: ClosedRange<Int>
    package var certificates: [CertificateObject]
    package var keys: [KeyObject]
    /// Whether the token lists the mechanisms of RSA-PSS signatures, which TLS 1.3 wants of RSA keys (RFC 8446 §4.4.3).
    package var hasPSS: Bool
    /// Why the objects could not be read, where that is so.
    package var failure: String?

    package init(
        slotID: UInt64, slot: SlotDescription? = nil, token: TokenDescription, flags: TokenFlags, isLoggedIn: Bool,
        pinLength: ClosedRange<Int>, certificates: [CertificateObject], keys: [KeyObject], hasPSS: Bool = false,
        failure: String? = nil
    ) {
        self.slotID = slotID
        self.slot = slot
        self.token = token
        self.flags = flags
        self.isLoggedIn = isLoggedIn
        self.pinLength = pinLength
        self.certificates = certificates
        self.keys = keys
        self.hasPSS = hasPSS
        self.failure = failure
    }

    /// The token for URIs that name it, where this module shows it.
    package func located(in module: ModuleDescription?) -> LocatedToken {
        LocatedToken(token, slotID: slotID, slot: slot, module: module)
    }
}

/// The CKF flags of CK_TOKEN_INFO that decide something here (PKCS#11 2.40 §3.2, table 6).
package struct TokenFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let writeProtected = Self(rawValue: 0x0000_0002)
    package static let loginRequired = Self(rawValue: 0x0000_0004)
    package static let userPINInitialized = Self(rawValue: 0x0000_0008)
    package static let protectedAuthenticationPath = Self(rawValue: 0x0000_0100)
    package static let tokenInitialized = Self(rawValue: 0x0000_0400)
    package static let userPINCountLow = Self(rawValue: 0x0001_0000)
    package static let userPINFinalTry = Self(rawValue: 0x0002_0000)
    package static let userPINLocked = Self(rawValue: 0x0004_0000)
    package static let userPINToBeChanged = Self(rawValue: 0x0008_0000)

    /// Whether they tell of a wrong PIN that the token has counted.
    package var showCount: Bool { !isDisjoint(with: [.userPINCountLow, .userPINFinalTry, .userPINLocked]) }
}

/// A CKO_CERTIFICATE object of type CKC_X_509.
package struct CertificateObject: Hashable, Sendable {
    /// CKA_ID; empty where the token has none.
    package var id: [UInt8]
    /// CKA_LABEL; empty where the token has none.
    package var label: [UInt8]
    /// CKA_VALUE: what should be a DER certificate, as the token gave it.
    package var value: [UInt8]

    package init(id: [UInt8], label: [UInt8], value: [UInt8]) {
        self.id = id
        self.label = label
        self.value = value
    }
}

/// A CKO_PRIVATE_KEY or CKO_PUBLIC_KEY object, with what the token tells of its public half.
package struct KeyObject: Hashable, Sendable {
    package enum Class: UInt8, Sendable { case privateKey = 1, publicKey = 2 }

    package var keyClass: Class
    package var id: [UInt8]
    package var label: [UInt8]
    package var publicHalf: PublicHalf
    /// CKA_SIGN; true where the token does not say. Always false for a public key.
    package var canSign: Bool
    /// CKA_ALWAYS_AUTHENTICATE; false where the token does not say.
    package var alwaysAuthenticates: Bool

    package init(
        keyClass: Class, id: [UInt8], label: [UInt8], publicHalf: PublicHalf, canSign: Bool, alwaysAuthenticates: Bool
    ) {
        self.keyClass = keyClass
        self.id = id
        self.label = label
        self.publicHalf = publicHalf
        self.canSign = canSign
        self.alwaysAuthenticates = alwaysAuthenticates
    }
}

/// The public attributes of a key object, as the token gave them.
package enum PublicHalf: Hashable, Sendable {
    /// CKK_RSA: CKA_MODULUS and CKA_PUBLIC_EXPONENT, unsigned big-endian; empty where the token does not say.
    case rsa(modulus: [UInt8], exponent: [UInt8])
    /// CKK_EC: CKA_EC_PARAMS (DER of the curve) and CKA_EC_POINT, which is a DER OCTET STRING around the point
    /// (PKCS#11 2.40 §2.3.3) or, on some tokens, the bare point; empty where the token does not say.
    case ec(parameters: [UInt8], point: [UInt8])
    /// Another CKA_KEY_TYPE, which this project does not sign with.
    case other(keyType: UInt64)
}
