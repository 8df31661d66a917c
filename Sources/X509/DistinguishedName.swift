/// A distinguished name as a person writes it, to be compared with the names in certificates.
///
/// The text is RFC 2253's, and what RFC 4514 and older programs write besides: `CN=Example Root,O=Example`, spaces around
/// `,` `+` `=`, values in quotation marks, `;` for `,`, types by short or long name in any case or by object
/// identifier. The order of the parts does not count, so that the text of `openssl x509 -subject` serves as well.
package struct DistinguishedName: Hashable, Sendable {
    /// The longest text that is read, in bytes: no name in a certificate is longer.
    package static let maximumSize = 4 * Certificate.maximumSize

    /// Each relative name and how often it occurs.
    private let parts: [Set<Attribute>: Int]

    /// One `type=value`.
    struct Attribute: Hashable, Sendable {
        let type: String
        let value: Value
    }

    /// A value's bytes with escapes undone, or DER that is no text.
    enum Value: Hashable, Sendable {
        case text([UInt8])
        case der([UInt8])
    }

    /// - Throws: `DistinguishedNameError` where the text is no name, or an empty one, which every name would match.
    package init(_ text: String) throws(DistinguishedNameError) {
        var parser = DistinguishedNameParser(Array(text.utf8))
        parts = try parser.parse().reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    /// True where each relative name of this text is in `name` as well, at least as often.
    ///
    /// Equal texts match, and so does a part such as `CN=Example Root`. A relative name is equal when it has the same
    /// types (`CN` is `commonName` is `2.5.4.3`) and values that are equal byte for byte as UTF-8: letters' case counts.
    package func matches(_ name: Name) -> Bool {
        guard let whole = try? Self(name.description) else { return false }  // an empty name contains nothing
        return parts.allSatisfy { part, count in whole.parts[part, default: 0] >= count }
    }
}

extension DistinguishedName.Value {
    /// The value after `#`: as RFC 2253 has it, OpenSSL writes the values of types without a name so, and as text if
    /// asked for another form. UTF8String, PrintableString and IA5String are text.
    init(der: [UInt8]) {
        let isLong = der.count > 2 && der[1] == 0x81
        let content = der.dropFirst(isLong ? 3 : 2)
        let length = der.dropFirst(isLong ? 2 : 1).first
        let isText = [0x0C, 0x13, 0x16].contains(der.first) && length.map(Int.init) == content.count
        self = isText ? .text(Array(content)) : .der(der)
    }
}

/// Why a text is no distinguished name.
package struct DistinguishedNameError: Error, Hashable, Sendable {
    /// The fault, with the column, counted in bytes from 1.
    package let message: String

    static func at(_ index: Int, _ text: String) -> Self { Self(message: "column \(index + 1): \(text)") }
}
