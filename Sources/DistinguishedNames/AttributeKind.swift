import ASN1
import Encodings

/// What X.520 and its neighbours say of one type of attribute.
struct AttributeKind {
    /// For messages: the short name where there is one.
    let name: String
    /// In dotted decimal.
    let identifier: String
    let syntax: Syntax
    /// How many characters a value has.
    let length: ClosedRange<Int>

    enum Syntax {
        /// Any text, as UTF8String (RFC 5280 §4.1.2.4).
        case directory
        /// Letters, digits, space and `'()+,-./:=?` (X.680 §41.4).
        case printable
        /// ASCII.
        case ia5
    }
}

extension AttributeKind {
    /// By a name in any case, or by an object identifier in dotted decimal, with `OID.` in front or without; nil for any other
    /// text. An identifier without a name here takes any text.
    init?(_ written: String) {
        guard (1...Self.longestIdentifier).contains(written.utf8.count) else { return nil }
        let lower = written.lowercased()
        let bare = lower.hasPrefix("oid.") ? String(lower.dropFirst(4)) : lower
        if let kind = Self.byName[bare] ?? Self.byIdentifier[bare] {
            self = kind
        } else if DER.objectIdentifier(bare) != nil {
            self.init(name: bare, identifier: bare, syntax: .directory, length: 1...Self.longestValue)
        } else {
            return nil
        }
    }

    private static let longestIdentifier = 128
    /// ub-name of X.520, the largest bound there is.
    private static let longestValue = 32_768

    private static let byName = Dictionary(
        all.flatMap { names, kind in names.map { ($0.lowercased(), kind) } }, uniquingKeysWith: { first, _ in first })
    private static let byIdentifier = Dictionary(
        all.map { ($1.identifier, $1) }, uniquingKeysWith: { first, _ in first })

    /// The types of RFC 4514 §3 and RFC 4519 §2 that name people and machines, and those that CAs use besides, with the bounds
    /// of RFC 5280 appendix A.1, of X.520 annex C, and of PKCS #9 (RFC 2985). A domain's label has 63 characters (RFC 1035).
    private static let all: [([String], AttributeKind)] = [
        entry(["CN", "commonName"], "2.5.4.3", 1...64),
        entry(["L", "localityName"], "2.5.4.7", 1...128),
        entry(["ST", "S", "stateOrProvinceName"], "2.5.4.8", 1...128),
        entry(["O", "organizationName"], "2.5.4.10", 1...64),
        entry(["OU", "organizationalUnitName"], "2.5.4.11", 1...64),
        entry(["C", "countryName"], "2.5.4.6", 2...2, .printable),
        entry(["STREET", "streetAddress"], "2.5.4.9", 1...128),
        entry(["DC", "domainComponent"], "0.9.2342.19200300.100.1.25", 1...63, .ia5),
        entry(["UID", "userid"], "0.9.2342.19200300.100.1.1", 1...256),
        entry(["serialNumber"], "2.5.4.5", 1...64, .printable),
        entry(["title"], "2.5.4.12", 1...64),
        entry(["description"], "2.5.4.13", 1...1024),
        entry(["businessCategory"], "2.5.4.15", 1...128),
        entry(["postalCode"], "2.5.4.17", 1...40),
        entry(["telephoneNumber"], "2.5.4.20", 1...32, .printable),
        entry(["name"], "2.5.4.41", 1...longestValue),
        entry(["SN", "surname"], "2.5.4.4", 1...longestValue),
        entry(["GN", "givenName"], "2.5.4.42", 1...longestValue),
        entry(["initials"], "2.5.4.43", 1...longestValue),
        entry(["generationQualifier"], "2.5.4.44", 1...longestValue),
        entry(["dnQualifier"], "2.5.4.46", 1...64, .printable),
        entry(["pseudonym"], "2.5.4.65", 1...128),
        entry(["organizationIdentifier"], "2.5.4.97", 1...256),
        entry(["emailAddress", "E", "email"], "1.2.840.113549.1.9.1", 1...255, .ia5),
    ]

    private static func entry(
        _ names: [String], _ identifier: String, _ length: ClosedRange<Int>, _ syntax: Syntax = .directory
    ) -> ([String], AttributeKind) {
        (names, AttributeKind(name: names[0], identifier: identifier, syntax: syntax, length: length))
    }
}

extension AttributeKind.Syntax {
    var tag: DER.Tag {
        switch self {
        case .directory: .utf8String
        case .printable: .printableString
        case .ia5: .ia5String
        }
    }

    func allows(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .directory: true
        case .ia5: scalar.isASCII
        case .printable:
            scalar.isASCII
                && (UInt8(ascii: scalar).isAlphanumeric || " '()+,-./:=?".unicodeScalars.contains(scalar))
        }
    }

    /// For messages.
    var description: String {
        switch self {
        case .directory: "text"
        case .printable: "letters, digits, spaces and '()+,-./:=? alone"
        case .ia5: "ASCII alone"
        }
    }
}
