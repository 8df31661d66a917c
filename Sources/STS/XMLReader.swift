import Encodings

/// Reads the part of XML 1.0 that STS answers with, and refuses the rest: elements with attributes, which are checked and
/// left out, text, the five predefined entities and character references. It calls itself for each level, of which
/// `deepest` bounds the number.
package struct XMLReader {
    static let longest = 262_144
    static let deepest = 8
    static let mostElements = 256
    static let mostAttributes = 16
    static let longestName = 128

    private var index = 0
    private var elementCount = 0

    /// Reads one document.
    package static func read(_ bytes: Span<UInt8>) throws(XMLFault) -> XMLElement {
        guard bytes.count <= longest else { throw XMLFault(reason: .tooMuch, offset: longest) }
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes)
        } catch {
            throw XMLFault(reason: .notUTF8, offset: error.byteOffsets.lowerBound)
        }
        var reader = XMLReader()
        return try reader.document(bytes)
    }

    private func fault(_ reason: XMLFault.Reason) -> XMLFault { XMLFault(reason: reason, offset: index) }

    private mutating func document(_ bytes: Span<UInt8>) throws(XMLFault) -> XMLElement {
        if take("<?xml", bytes) { try declaration(bytes) }
        skipSpace(bytes)
        guard take("<", bytes) else { throw fault(.unexpected) }
        let root = try element(bytes, depth: 1)
        skipSpace(bytes)
        guard index == bytes.count else { throw fault(isMarkup(bytes) ? .unsupported : .unexpected) }
        return root
    }

    // MARK: Markup

    /// Behind `<?xml`: version, then encoding and `standalone` if they are there (XML 1.0 §2.8).
    private mutating func declaration(_ bytes: Span<UInt8>) throws(XMLFault) {
        var names = ["version", "encoding", "standalone"][...]
        while true {
            let hasSpace = skipSpace(bytes)
            if take("?>", bytes) { break }
            guard hasSpace else { throw fault(.unexpected) }
            let start = index
            let (name, value) = try attribute(bytes)
            let hasReference = (start..<index).contains { bytes[$0] == UInt8(ascii: "&") }
            guard !hasReference, let place = names.firstIndex(of: name), place == 0 || names.startIndex > 0 else {
                throw fault(.unexpected)
            }
            names = names[(place + 1)...]
            let isKnown =
                switch name {
                case "version": value.elementsEqual("1.0".utf8)
                case "encoding": value.map(\.lowercased).elementsEqual("utf-8".utf8)
                default: value.elementsEqual("yes".utf8) || value.elementsEqual("no".utf8)
                }
            guard isKnown else { throw fault(.unsupported) }
        }
        guard names.startIndex > 0 else { throw fault(.unexpected) }
    }

    /// An element, behind its `<`.
    private mutating func element(_ bytes: Span<UInt8>, depth: Int) throws(XMLFault) -> XMLElement {
        if index < bytes.count, bytes[index] == UInt8(ascii: "!") || bytes[index] == UInt8(ascii: "?") {
            throw fault(.unsupported)
        }
        let name = try name(bytes)
        elementCount += 1
        guard depth <= Self.deepest, elementCount <= Self.mostElements else { throw fault(.tooMuch) }
        if try attributesEndElement(bytes) { return XMLElement(name: name, text: "", children: []) }
        return try content(bytes, of: name, depth: depth)
    }

    /// The attributes, and the end of the tag.
    ///
    /// - Returns: Whether it is the end of the element as well.
    private mutating func attributesEndElement(_ bytes: Span<UInt8>) throws(XMLFault) -> Bool {
        var names: [String] = []
        while true {
            let hasSpace = skipSpace(bytes)
            if take(">", bytes) { return false }
            if take("/>", bytes) { return true }
            guard hasSpace else { throw fault(.unexpected) }
            let name = try attribute(bytes).name
            guard !names.contains(name) else { throw fault(.repeatedName) }
            guard names.count < Self.mostAttributes else { throw fault(.tooMuch) }
            names.append(name)
        }
    }

    private mutating func attribute(_ bytes: Span<UInt8>) throws(XMLFault) -> (name: String, value: [UInt8]) {
        let name = try name(bytes)
        skipSpace(bytes)
        guard take("=", bytes) else { throw fault(.unexpected) }
        skipSpace(bytes)
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "'") else {
            throw fault(.unexpected)
        }
        let quote = bytes[index]
        index += 1
        var value: [UInt8] = []
        while index < bytes.count, bytes[index] != quote {
            guard bytes[index] != UInt8(ascii: "<") else { throw fault(.unexpected) }
            try character(bytes, to: &value)
        }
        guard index < bytes.count else { throw fault(.unexpected) }
        index += 1
        return (name, value)
    }

    private mutating func name(_ bytes: Span<UInt8>) throws(XMLFault) -> String {
        let start = index
        while index < bytes.count, Self.isNameByte(bytes[index]) { index += 1 }
        // Beyond ASCII, and prefixed: XML, but none of STS.
        if index < bytes.count, bytes[index] == UInt8(ascii: ":") || bytes[index] >= 0x80 { throw fault(.unsupported) }
        guard index > start, !bytes[start].isDigit, bytes[start] != UInt8(ascii: "-"),
            bytes[start] != UInt8(ascii: ".")
        else { throw fault(.unexpected) }
        guard index - start <= Self.longestName else { throw fault(.tooMuch) }
        var name: [UInt8] = []
        for place in start..<index { name.append(bytes[place]) }
        return String(decoding: name, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool { byte.isAlphanumeric || "_.-".utf8.contains(byte) }

    // MARK: Content

    /// Text and children, and the end tag.
    private mutating func content(
        _ bytes: Span<UInt8>, of name: String, depth: Int
    ) throws(XMLFault) -> XMLElement {
        var text: [UInt8] = []
        var children: [XMLElement] = []
        while index < bytes.count {
            if take("</", bytes) {
                guard try self.name(bytes) == name else { throw fault(.unexpected) }
                skipSpace(bytes)
                guard take(">", bytes) else { throw fault(.unexpected) }
                guard !children.isEmpty else {
                    return XMLElement(name: name, text: String(decoding: text, as: UTF8.self), children: [])
                }
                guard text.allSatisfy(Self.isSpace) else { throw fault(.mixedContent) }
                return XMLElement(name: name, text: "", children: children)
            }
            if take("<", bytes) {
                let start = index
                let child = try element(bytes, depth: depth + 1)
                guard !children.contains(where: { $0.name == child.name }) else {
                    throw XMLFault(reason: .repeatedName, offset: start)
                }
                children.append(child)
            } else {
                guard !isNext("]]>", bytes) else { throw fault(.unexpected) }
                try character(bytes, to: &text)
            }
        }
        throw fault(.unexpected)
    }

    /// One character or reference, with line ends as XML 1.0 §2.11 has them.
    private mutating func character(_ bytes: Span<UInt8>, to text: inout [UInt8]) throws(XMLFault) {
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "&"): return try reference(bytes, to: &text)
        case UInt8(ascii: "\r"):
            text.append(UInt8(ascii: "\n"))
            index += isNext("\r\n", bytes) ? 2 : 1
            return
        case UInt8(ascii: "\t"), UInt8(ascii: "\n"): break
        case 0..<0x20: throw fault(.unexpected)
        // U+FFFE and U+FFFF are no characters of XML (§2.2).
        case 0xEF where bytes[index + 1] == 0xBF && bytes[index + 2] >= 0xBE: throw fault(.unexpected)
        default: break
        }
        text.append(byte)
        index += 1
    }

    private mutating func reference(_ bytes: Span<UInt8>, to text: inout [UInt8]) throws(XMLFault) {
        for (name, byte) in Self.entities where take(name, bytes) { return text.append(byte) }
        guard take("&#", bytes) else {
            index += 1
            _ = try name(bytes)
            throw fault(isNext(";", bytes) ? .unsupported : .unexpected)
        }
        let radix: UInt32 = take("x", bytes) ? 16 : 10
        var value: UInt32 = 0
        var count = 0
        while index < bytes.count, let digit = bytes[index].hexadecimalDigit, digit < radix {
            guard count < 8 else { throw fault(.unexpected) }
            value = value * radix + UInt32(digit)
            count += 1
            index += 1
        }
        guard count > 0, let scalar = Unicode.Scalar(value), Self.isCharacter(scalar), take(";", bytes) else {
            throw fault(.unexpected)
        }
        text.append(contentsOf: String(scalar).utf8)
    }

    private static let entities: [(StaticString, UInt8)] = [
        ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&amp;", UInt8(ascii: "&")),
        ("&apos;", UInt8(ascii: "'")), ("&quot;", UInt8(ascii: "\"")),
    ]

    /// `Char` of XML 1.0 §2.2.
    private static func isCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x9, 0xA, 0xD: true
        case 0..<0x20, 0xFFFE, 0xFFFF: false
        default: true
        }
    }

    // MARK: Bytes

    @discardableResult
    private mutating func skipSpace(_ bytes: Span<UInt8>) -> Bool {
        let start = index
        while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
        return index > start
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x9 || byte == 0xA || byte == 0xD }

    /// Whether a comment, a processing instruction or a document type begins here.
    private func isMarkup(_ bytes: Span<UInt8>) -> Bool { isNext("<!", bytes) || isNext("<?", bytes) }

    private func isNext(_ text: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - index >= count else { return false }
        for offset in 0..<count where unsafe bytes[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    private mutating func take(_ text: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard isNext(text, bytes) else { return false }
        index += text.utf8CodeUnitCount
        return true
    }
}
