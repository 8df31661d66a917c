import COpenSSL
import Encodings

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

/// The grammar of RFC 2253 §3 and §4, in one pass.
struct DistinguishedNameParser {
    private let text: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) { self.text = text }

    /// The relative names in their order.
    mutating func parse() throws(DistinguishedNameError) -> [Set<DistinguishedName.Attribute>] {
        guard text.count <= DistinguishedName.maximumSize else { throw .at(0, "the name is too long") }
        skipSpaces()
        guard index < text.count else { throw .at(0, "the name is empty; write for example CN=Example Root") }
        var parts: [Set<DistinguishedName.Attribute>] = []
        repeat {
            var part: Set<DistinguishedName.Attribute> = []
            repeat { part.insert(try attribute()) } while accept("+")
            parts.append(part)
        } while accept(",") || accept(";")
        return parts
    }

    private mutating func attribute() throws(DistinguishedNameError) -> DistinguishedName.Attribute {
        skipSpaces()
        let start = index
        while index < text.count, Self.isTypeCharacter(text[index]) { index += 1 }
        let written = String(decoding: text[start..<index], as: UTF8.self)
        guard !written.isEmpty else { throw .at(start, "an attribute type such as CN is missing") }
        guard let type = AttributeType.name(written) else { throw .at(start, "unknown attribute type '\(written)'") }
        skipSpaces()
        guard accept("=") else { throw .at(index, "'=' is missing after '\(written)'") }
        skipSpaces()
        return DistinguishedName.Attribute(type: type, value: try value())
    }

    /// Leaves the index at the separator or the end.
    private mutating func value() throws(DistinguishedNameError) -> DistinguishedName.Value {
        if accept("#") { return DistinguishedName.Value(der: try hexadecimalValue()) }
        let isQuoted = accept("\"")
        var bytes: [UInt8] = []
        var significant = 0  // unescaped spaces at the end do not belong to the value
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\\") {
                bytes.append(try escapedByte())
                significant = bytes.count
                continue
            }
            if byte == UInt8(ascii: "\"") { break }
            if !isQuoted, Self.isSeparator(byte) { break }
            bytes.append(byte)
            if isQuoted || byte != UInt8(ascii: " ") { significant = bytes.count }
            index += 1
        }
        if isQuoted {
            guard accept("\"") else { throw .at(index, "the closing quotation mark is missing") }
        }
        try expectEndOfValue()
        return .text(Array(bytes.prefix(significant)))
    }

    private mutating func hexadecimalValue() throws(DistinguishedNameError) -> [UInt8] {
        var bytes: [UInt8] = []
        while index < text.count, text[index].hexadecimalDigit != nil { bytes.append(try hexadecimalByte()) }
        guard !bytes.isEmpty else { throw .at(index, "hexadecimal digits are missing after '#'") }
        try expectEndOfValue()
        return bytes
    }

    private mutating func escapedByte() throws(DistinguishedNameError) -> UInt8 {
        index += 1
        guard index < text.count else { throw .at(index, "nothing follows the backslash") }
        let byte = text[index]
        if byte.hexadecimalDigit != nil { return try hexadecimalByte() }
        guard Array(" \"#+,;<=>\\".utf8).contains(byte) else {
            throw .at(index, "this character must not be escaped")
        }
        index += 1
        return byte
    }

    private mutating func hexadecimalByte() throws(DistinguishedNameError) -> UInt8 {
        guard index + 1 < text.count, let byte = Hexadecimal.byte(text[index], text[index + 1]) else {
            throw .at(index, "two hexadecimal digits are needed")
        }
        index += 2
        return byte
    }

    private mutating func expectEndOfValue() throws(DistinguishedNameError) {
        skipSpaces()
        guard index == text.count || Self.isSeparator(text[index]) else {
            throw .at(index, "a ',' or the end is needed here; escape special characters with a backslash")
        }
    }

    private mutating func skipSpaces() {
        while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard index < text.count, UInt32(text[index]) == character.value else { return false }
        index += 1
        return true
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ";")
    }

    private static func isTypeCharacter(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
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
