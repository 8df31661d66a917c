package import PKCS11URI

/// Why no certificate was chosen.
package enum SelectionError: Error, Hashable, Sendable {
    /// No token that is present matches the profile's URI; nil: no token is present at all.
    case noToken(PKCS11URI?)
    /// The tokens have no certificate that the profile's URI and selectors leave.
    case noCertificate
    /// Those that the profile leaves are all dropped: the first one's URI, its reasons, and how many more there are.
    case noneUsable(PKCS11URI?, [DropReason], others: Int)
    /// Several expire last and have different keys.
    case ambiguous([PKCS11URI])
    /// `certificate-serial` is the serial number of one certificate in decimal digits, and of another in hexadecimal ones.
    case ambiguousSerial(decimal: PKCS11URI, hexadecimal: PKCS11URI)
    /// No object has this URI's `id` as it is written, and one has it read as hexadecimal digits.
    case unescapedID(PKCS11URI)
    /// The key of a certificate file could be on each of these tokens, which show no keys before a login.
    case ambiguousToken([PKCS11URI])

    /// One line: what happened.
    package var message: String {
        switch self {
        case .noToken(let uri): "no token is present" + (uri.map { " that matches \($0.tokenPart)" } ?? "")
        case .noCertificate: "no certificate on the tokens matches the profile"
        case .noneUsable(let uri, let reasons, let others):
            "no usable certificate: \(uri.map(\.description) ?? "the file's"): "
                + reasons.map(\.message).joined(separator: "; ") + (others == 0 ? "" : " (and \(others) more)")
        case .ambiguous(let uris):
            "several certificates expire last and have different keys: " + Self.list(uris)
        case .ambiguousSerial(let decimal, let hexadecimal):
            "certificate-serial is the number of \(decimal) in decimal digits and that of \(hexadecimal) in hexadecimal ones"
        case .unescapedID(let uri):
            "nothing on the tokens has the CKA_ID '\(String(decoding: uri.id ?? [], as: UTF8.self))' of \(uri.id?.count ?? 0) characters"
        case .ambiguousToken(let uris):
            "several tokens may have the private key, and show it only after login: " + Self.list(uris)
        }
    }

    /// The remedy.
    package var hint: String {
        switch self {
        case .noToken: "insert the token, or compare the profile with 'tokenward list'"
        case .noCertificate, .noneUsable: "'tokenward list --explain PROFILE' tells why each certificate was dropped"
        case .ambiguous: "name one of them as 'certificate' in the profile"
        case .ambiguousSerial: "write 0x before hexadecimal digits, or name one of them as 'certificate' in the profile"
        case .unescapedID(let uri):
            "escape each byte of it: write \(uri.withIDAsDigits.map { "\($0)" } ?? "%01 for 01")"
        case .ambiguousToken: "name the token as 'private-key' in the profile"
        }
    }

    /// The first eight: a token can have thousands.
    private static func list(_ uris: [PKCS11URI]) -> String {
        let shown = uris.prefix(8).map(\.description).joined(separator: ", ")
        return uris.count <= 8 ? shown : "\(shown) and \(uris.count - 8) more"
    }
}

extension SelectionError {
    /// The error where nothing can be chosen from `candidates`.
    static func none(of candidates: [Candidate]) -> Self {
        let wanted = candidates.filter { !$0.reasons.contains(where: \.isProfileChoice) }
        // The one with the fewest reasons is the one that was most likely meant.
        guard let closest = wanted.min(by: { $0.reasons.count < $1.reasons.count }) else { return .noCertificate }
        return .noneUsable(closest.uri, closest.reasons, others: wanted.count - 1)
    }
}
