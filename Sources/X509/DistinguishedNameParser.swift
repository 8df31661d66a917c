import Encodings

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
