import UTCTime
package import X509

/// Why a certificate cannot be the one that a profile signs in with.
package enum DropReason: Hashable, Sendable {
    case unreadable(CertificateError)
    /// Since this time, in seconds since 1970.
    case expired(Int64)
    /// Until this time, in seconds since 1970.
    case notYetValid(Int64)
    case certificateAuthority
    case noKeyUsage
    case noDigitalSignature
    /// Signed by its issuer with this hash.
    case weakSignature(hash: String)
    case emptySubject
    case oldVersion(Int)
    case unsupportedKey(String)
    case attestation
    case tooLargeToSend(bytes: Int)
    case negativeSerial
    /// In decimal.
    case longSerial(digits: Int)

    /// No key has its CKA_ID.
    case noKey
    /// For a certificate from a file.
    case noKeyForFile
    /// A key has the certificate's CKA_ID and another public key.
    case differentKey
    /// A key has the certificate's public key and another CKA_ID.
    case differentID
    /// The key that `private-key` names has another public key.
    case namedKeyDiffers
    /// The token has no key that `private-key` names.
    case noNamedKey
    /// Several private keys could be it, and nothing tells which.
    case ambiguousKey
    /// More keys have its CKA_ID than are compared.
    case tooManyKeys
    /// CKA_SIGN
    case keyCannotSign
    /// Not dropped for good: after a login the key may be there.
    case keyHidden

    case otherURI
    case otherSubject
    case otherIssuer
    case otherSerial

    /// One line, to follow the certificate's URI.
    package var message: String {
        switch self {
        case .unreadable(let error): error.message
        case .expired(let time): "expired on \(UTCTime(secondsSince1970: time))"
        case .notYetValid(let time): "not valid before \(UTCTime(secondsSince1970: time))"
        case .certificateAuthority: "a CA's certificate (basicConstraints), which the service does not take"
        case .noKeyUsage: "no key usage extension; the service wants digitalSignature"
        case .noDigitalSignature: "its key usage lacks digitalSignature"
        case .weakSignature(let hash): "signed with \(hash.uppercased()); the service wants SHA-256 or stronger"
        case .emptySubject: "its subject is empty, which the service does not take"
        case .oldVersion(let version): "X.509 version \(version); the service wants version 3"
        case .unsupportedKey(let key):
            "its key is \(key); the service takes RSA 2048 to 4096, EC P-256, P-384 and P-521"
        case .attestation: "an attestation of a YubiKey, made for proofs and not for signing in"
        case .tooLargeToSend(let bytes):
            "it has \(bytes) bytes, more than the \(IdentityRules.maximumCertificateSize) that fit in a request"
        case .negativeSerial: "its serial number is negative (RFC 5280 forbids that); have it issued anew"
        case .longSerial(let digits):
            "its serial number has \(digits) decimal digits, more than the \(IdentityRules.maximumSerialDigits) that fit in a "
                + "request"
        case .noKey: "no private key with its CKA_ID on the token"
        case .noKeyForFile: "no token that private-key names has a key with its public key"
        case .differentKey: "the key with this CKA_ID on the token is another one: the public keys differ"
        case .differentID: "its private key is on the token under another CKA_ID; give both the same"
        case .namedKeyDiffers: "the key that private-key names is another one: the public keys differ"
        case .noNamedKey: "its token has no private key that private-key names"
        case .ambiguousKey:
            "several private keys have its CKA_ID, and nothing tells which is its own; give each the label of its public "
                + "key, or a CKA_ID of its own"
        case .tooManyKeys:
            "more than \(TokenKeys.maximumPerID) keys on the token have its CKA_ID or its public key, too many to compare"
        case .keyCannotSign: "its private key may not sign (CKA_SIGN is false)"
        case .keyHidden: "its private key can be seen only after login; run 'tokenward unlock'"
        case .otherURI: "the profile's certificate URI does not match it"
        case .otherSubject: "the profile's certificate-subject does not match it"
        case .otherIssuer: "the profile's certificate-issuer does not match it"
        case .otherSerial: "the profile's certificate-serial does not match it"
        }
    }

    /// True for the reasons that are about its private key.
    package var isAboutKey: Bool {
        switch self {
        case .noKey, .noKeyForFile, .differentKey, .differentID, .namedKeyDiffers, .noNamedKey, .ambiguousKey,
            .tooManyKeys,
            .keyCannotSign, .keyHidden:
            true
        default: false
        }
    }

    /// True for the reasons that a profile gives, which say nothing about the certificate.
    package var isProfileChoice: Bool {
        switch self {
        case .otherURI, .otherSubject, .otherIssuer, .otherSerial: true
        default: false
        }
    }
}
