import Encodings

/// A distinguished name as a person writes it, taken apart.
///
/// The text is RFC 4514's, and what RFC 2253 and older programs write besides: `CN=Example Root,O=Example`, spaces around
/// `,` `+` `=`, values in quotation marks, `;` for `,`.
package struct NameText: Hashable, Sendable {
    /// The longest text that is read, in bytes.
    package static let maximumSize = 1 << 18

    /// The relative names in the order of the text.
    package let parts: [[Attribute]]

    /// One `type=value`.
    package struct Attribute: Hashable, Sendable {
        /// As it was written: a name in any case, or an object identifier in dotted decimal.
        package let type: String
        /// Where the type stands; columns are bytes, counted from 1.
        package let typeColumn: Int
        package let value: Value
        package let valueColumn: Int
    }

    package enum Value: Hashable, Sendable {
        /// Bytes with escapes undone, which are UTF-8 unless escapes made them another thing.
        case text([Character])
        /// The DER after `#`.
        case der([UInt8])
    }

    /// One byte of a value, and the column where it stands.
    package struct Character: Hashable, Sendable {
        package let byte: UInt8
        package let column: Int
    }

    /// - Throws: `DistinguishedNameError` where the text is no name, or an empty one.
    package init(_ text: String) throws(DistinguishedNameError) {
        var parser = NameParser(Array(text.utf8))
        parts = try parser.parse()
    }
}

/// Why a text is no distinguished name.
package struct DistinguishedNameError: Error, Hashable, Sendable {
    /// The fault, with the column, counted in bytes from 1.
    package let message: String

    package static func at(column: Int, _ text: String) -> Self { Self(message: "column \(column): \(text)") }
}

/// The grammar of RFC 4514 §3 and RFC 2253 §4, in one pass.
private struct NameParser {
    private let text: [UInt8]
    private var index = 0

    init(_ text: [UInt8]) { self.text = text }

    mutating func parse() throws(DistinguishedNameError) -> [[NameText.Attribute]] {
        guard text.count <= NameText.maximumSize else { throw fault("the name is too long") }
        skipSpaces()
        guard index < text.count else {
            throw .at(column: 1, "the name is empty; write for example CN=Example Root")
        }
        var parts: [[NameText.Attribute]] = []
        repeat {
            var part: [NameText.Attribute] = []
            repeat { part.append(try attribute()) } while accept("+")
            parts.append(part)
        } while accept(",") || accept(";")
        return parts
    }

    private mutating func attribute() throws(DistinguishedNameError) -> NameText.Attribute {
        skipSpaces()
        let start = index
        while index < text.count, Self.isTypeCharacter(text[index]) { index += 1 }
        let type = String(decoding: text[start..<index], as: UTF8.self)
        guard !type.isEmpty else { throw fault("an attribute type such as CN is missing") }
        skipSpaces()
        guard accept("=") else { throw fault("'=' is missing after '\(type)'") }
        skipSpaces()
        let valueStart = index
        return NameText.Attribute(
            type: type, typeColumn: start + 1, value: try value(), valueColumn: valueStart + 1)
    }

    /// Leaves the index at the separator or the end.
    private mutating func value() throws(DistinguishedNameError) -> NameText.Value {
        if accept("#") { return .der(try hexadecimalValue()) }
        let isQuoted = accept("\"")
        var characters: [NameText.Character] = []
        var significant = 0  // unescaped spaces at the end do not belong to the value
        while index < text.count {
            let byte = text[index]
            let column = index + 1
            if byte == UInt8(ascii: "\\") {
                characters.append(NameText.Character(byte: try escapedByte(), column: column))
                significant = characters.count
                continue
            }
            if byte == UInt8(ascii: "\"") { break }
            if !isQuoted, Self.isSeparator(byte) { break }
            characters.append(NameText.Character(byte: byte, column: column))
            if isQuoted || byte != UInt8(ascii: " ") { significant = characters.count }
            index += 1
        }
        if isQuoted {
            guard accept("\"") else { throw fault("the closing quotation mark is missing") }
        }
        try expectEndOfValue()
        return .text(Array(characters.prefix(significant)))
    }

    private mutating func hexadecimalValue() throws(DistinguishedNameError) -> [UInt8] {
        var bytes: [UInt8] = []
        while index < text.count, text[index].hexadecimalDigit != nil { bytes.append(try hexadecimalByte()) }
        guard !bytes.isEmpty else { throw fault("hexadecimal digits are missing after '#'") }
        try expectEndOfValue()
        return bytes
    }

    private mutating func escapedByte() throws(DistinguishedNameError) -> UInt8 {
        index += 1
        guard index < text.count else { throw fault("nothing follows the backslash") }
        let byte = text[index]
        if byte.hexadecimalDigit != nil { return try hexadecimalByte() }
        guard Array(" \"#+,;<=>\\".utf8).contains(byte) else { throw fault("this character must not be escaped") }
        index += 1
        return byte
    }

    private mutating func hexadecimalByte() throws(DistinguishedNameError) -> UInt8 {
        guard index + 1 < text.count, let byte = Hexadecimal.byte(text[index], text[index + 1]) else {
            throw fault("two hexadecimal digits are needed")
        }
        index += 2
        return byte
    }

    private mutating func expectEndOfValue() throws(DistinguishedNameError) {
        skipSpaces()
        guard index == text.count || Self.isSeparator(text[index]) else {
            throw fault("a ',' or the end is needed here; escape special characters with a backslash")
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

    private func fault(_ message: String) -> DistinguishedNameError { .at(column: index + 1, message) }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ";")
    }

    private static func isTypeCharacter(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }
}
