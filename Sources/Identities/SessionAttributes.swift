package import X509

/// What a session of Roles Anywhere is called and tagged with for a certificate, by default (IAM Roles Anywhere user guide,
/// "Trust model" and "Certificate attribute mapping"): a profile may map other attributes, or take a session name.
package struct SessionAttributes: Hashable, Sendable {
    /// A tag of the session, `aws:PrincipalTag/` and its key in policies.
    package struct Tag: Hashable, Sendable {
        /// Such as `x509Subject/CN`.
        package let key: String
        package let value: String
        /// Why policies may not see it so.
        package let doubt: Doubt?

        package enum Doubt: Hashable, Sendable {
            /// A character or a length that STS' tags do not have: the service leaves it out.
            case dropped
            /// AWS documents no spelling of this attribute.
            case undocumented
        }
    }

    /// `sts:SourceIdentity`
    package let sourceIdentity: String
    /// The last part of the session's ARN.
    package let sessionName: String
    package let tags: [Tag]

    package init(of certificate: Certificate) {
        let subject = certificate.subject.attributes
        sessionName = certificate.serial.hexadecimal
        sourceIdentity = Self.sourceIdentity(
            commonName: subject.first { $0.type == "CN" }?.value, serial: certificate.serial.hexadecimal)
        var tags = Self.tags("x509Subject/", subject) + Self.tags("x509Issuer/", certificate.issuer.attributes)
        var kinds: Set<String> = []
        for name in certificate.alternativeNames {
            // The first value of each kind.
            switch name {
            case .dns(let host) where kinds.insert("DNS").inserted: tags.append(Self.tag("x509SAN/DNS", host))
            case .uri(let uri) where kinds.insert("URI").inserted: tags.append(Self.tag("x509SAN/URI", uri))
            case .directory(let name) where kinds.insert("Name").inserted:
                tags += Self.tags("x509SAN/Name/", name.attributes)
            default: continue
            }
        }
        self.tags = tags
    }

    /// `CN=` and a common name of at most 61 characters, one of 62 to 64 alone, or `ID=` and the serial number.
    static func sourceIdentity(commonName: String?, serial: String) -> String {
        guard let commonName, !commonName.isEmpty else { return "ID=\(serial)" }
        return commonName.unicodeScalars.count <= 61 ? "CN=\(commonName)" : commonName
    }

    /// The values of one type are joined in their order.
    private static func tags(_ prefix: String, _ attributes: [Name.Attribute]) -> [Tag] {
        var types: [String] = []
        for attribute in attributes where !types.contains(attribute.type) { types.append(attribute.type) }
        return types.map { type in
            let values = attributes.filter { $0.type == type }.map { $0.value ?? "\u{FFFD}" }
            return tag(prefix + type, values.joined(separator: "/"), isDocumented: documented.contains(type))
        }
    }

    /// Those whose spelling AWS' documents show.
    private static let documented: Set = ["C", "CN", "L", "O", "OU", "ST", "UID"]

    private static func tag(_ key: String, _ value: String, isDocumented: Bool = true) -> Tag {
        Tag(key: key, value: value, doubt: !fits(value) ? .dropped : isDocumented ? nil : .undocumented)
    }

    /// `[\p{L}\p{Z}\p{N}_.:/=+\-@]*` of at most 256 characters (STS API reference, Tag).
    private static func fits(_ value: String) -> Bool {
        value.unicodeScalars.count <= 256
            && value.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
                    .decimalNumber, .letterNumber, .otherNumber, .spaceSeparator, .lineSeparator, .paragraphSeparator:
                    true
                default: "_.:/=+-@".unicodeScalars.contains(scalar)
                }
            }
    }
}
