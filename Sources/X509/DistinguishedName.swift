import COpenSSL
package import DistinguishedNames
import Encodings

/// A distinguished name as a person writes it, to be compared with the names in certificates.
///
/// The text is RFC 2253's, and what RFC 4514 and older programs write besides: `CN=Example Root,O=Example`, spaces around
/// `,` `+` `=`, values in quotation marks, `;` for `,`, types by short or long name in any case or by object
/// identifier. The order of the parts does not count, so that the text of `openssl x509 -subject` serves as well.
package struct DistinguishedName: Hashable, Sendable {
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
        var parts: [Set<Attribute>: Int] = [:]
        for part in try NameText(text).parts {
            var attributes: Set<Attribute> = []
            for attribute in part { attributes.insert(try Attribute(attribute)) }
            parts[attributes, default: 0] += 1
        }
        self.parts = parts
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

extension DistinguishedName.Attribute {
    fileprivate init(_ written: NameText.Attribute) throws(DistinguishedNameError) {
        guard let type = AttributeType.name(written.type) else {
            throw .at(column: written.typeColumn, "unknown attribute type '\(written.type)'")
        }
        self.type = type
        value =
            switch written.value {
            case .text(let characters): .text(characters.map(\.byte))
            case .der(let der): DistinguishedName.Value(der: der)
            }
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

/// The types of a distinguished name's attributes, by the one name under which we compare them.
enum AttributeType {
    /// OpenSSL's short name for a short name in any case, a long name or an object identifier in dotted decimal; the
    /// identifier itself where OpenSSL has no name for it. Nil for every other text.
    static func name(_ written: String) -> String? {
        // Converting a dotted identifier takes quadratic time, and none that is in use is this long.
        guard (1...64).contains(written.utf8.count) else { return nil }
        let isPrefixed = written.lowercased().hasPrefix("oid.")
        let bare = isPrefixed ? String(written.dropFirst(4)) : written
        let upper = bare.uppercased()
        for candidate in [bare, upper, aliases[upper] ?? upper] {
            if let name = shortName(candidate) { return name }
        }
        return isDotted(bare) ? bare : nil
    }

    /// Other programs' names of two of them, and one that OpenSSL never writes.
    private static let aliases = [
        "E": "emailAddress", "EMAIL": "emailAddress", "EMAILADDRESS": "emailAddress", "S": "ST",
        "SERIALNUMBER": "serialNumber",
        "GIVENNAME": "GN", "SURNAME": "SN", "STREET": "street", "TITLE": "title", "DNQUALIFIER": "dnQualifier",
        "ORGANIZATIONIDENTIFIER": "organizationIdentifier", "POSTALCODE": "postalCode",
    ]

    private static func shortName(_ text: String) -> String? {
        withCleanErrorQueue {
            let identifier = unsafe OBJ_txt2nid(text)
            guard identifier != NID_undef, let name = unsafe OBJ_nid2sn(identifier) else { return nil }
            return unsafe String(cString: name)
        }
    }

    private static func isDotted(_ text: String) -> Bool {
        let arcs = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return arcs.count > 1
            && arcs.allSatisfy { arc in
                !arc.isEmpty && arc.allSatisfy(\.isDigit)
            }
    }
}
