import Encodings

/// Reads one URI from left to right, once; the first fault ends it.
struct PKCS11URIParser {
    /// The longest text that is looked at, in bytes.
    static let maximumLength = 65_536

    private static let scheme = "pkcs11:"

    private let bytes: [UInt8]
    private var uri = PKCS11URI()
    private var seen: Set<URIAttribute> = []

    init(_ text: String) throws(PKCS11URIError) {
        guard text.utf8.count <= Self.maximumLength else {
            throw PKCS11URIError(
                message: "the URI has \(text.utf8.count) bytes and may have \(Self.maximumLength); shorten it")
        }
        bytes = Array(text.utf8)
    }

    mutating func parse() throws(PKCS11URIError) -> PKCS11URI {
        try refusePINValue()
        guard bytes.prefix(Self.scheme.utf8.count).map(\.lowercased).elementsEqual(Self.scheme.utf8) else {
            throw PKCS11URIError.at(0, "this is no PKCS#11 URI; start it with 'pkcs11:', as in 'pkcs11:token=LABEL'")
        }
        let start = Self.scheme.utf8.count
        guard let mark = bytes[start...].firstIndex(of: UInt8(ascii: "?")) else {
            try parse(.path, in: start..<bytes.count)
            return uri
        }
        try parse(.path, in: start..<mark)
        try parse(.query, in: mark + 1..<bytes.count)
        return uri
    }

    /// Looked for anywhere, and before any other fault: in the wrong place a PIN is as readable, and as a part of a
    /// label it would be printed.
    private func refusePINValue() throws(PKCS11URIError) {
        let name = Array("pin-value=".utf8)
        let text = bytes.map(\.lowercased)
        guard let column = text.indices.first(where: { text[$0...].starts(with: name) }) else { return }
        throw PKCS11URIError.at(
            column,
            "pin-value is refused, because others can read a PIN in a file or an argument; "
                + "remove it, and set pin-source in [[token]] or run 'tokenward unlock'")
    }

    private mutating func parse(_ component: URIComponent, in range: Range<Int>) throws(PKCS11URIError) {
        guard !range.isEmpty else { return }
        var start = range.lowerBound
        while true {
            let rest = start..<range.upperBound
            guard let end = bytes[rest].firstIndex(of: component.separator) else {
                return try parseAttribute(rest, in: component)
            }
            try parseAttribute(start..<end, in: component)
            start = end + 1
        }
    }

    private mutating func parseAttribute(_ range: Range<Int>, in component: URIComponent) throws(PKCS11URIError) {
        guard !range.isEmpty else {
            let separator = Unicode.Scalar(component.separator)
            throw PKCS11URIError.at(
                range.lowerBound, "an attribute is missing; remove the '\(separator)' that is too many")
        }
        guard let equals = bytes[range].firstIndex(of: UInt8(ascii: "=")) else {
            throw PKCS11URIError.at(range.lowerBound, "an attribute has no '='; write NAME=VALUE")
        }
        let attribute = try parseName(range.lowerBound..<equals, in: component)
        guard seen.insert(attribute).inserted else {
            throw PKCS11URIError.at(range.lowerBound, "\(attribute.rawValue) is given twice; keep one of them")
        }
        try parseValue(of: attribute, in: equals + 1..<range.upperBound)
    }

    private mutating func parseValue(of attribute: URIAttribute, in range: Range<Int>) throws(PKCS11URIError) {
        let value = try decoded(range, attribute)
        if let path = attribute.text {
            uri[keyPath: path] = attribute.fieldWidth == nil ? value : Array(Padding.trimmed(value))
            return
        }
        // The rest is plain by the grammar: an escape is as wrong here as a letter.
        let plain = bytes[range]
        switch attribute {
        case .slotID:
            // What p11-kit takes: above, its number is negative.
            uri.slotID = UInt64(decimal: plain, upTo: UInt64(Int64.max))
            guard uri.slotID != nil else {
                throw PKCS11URIError.at(range.lowerBound, "slot-id is no number; write digits, at most \(Int64.max)")
            }
        case .libraryVersion:
            uri.libraryVersion = LibraryVersion(decimal: plain)
            guard uri.libraryVersion != nil else {
                throw PKCS11URIError.at(
                    range.lowerBound, "library-version is no version; write MAJOR or MAJOR.MINOR, each from 0 to 254")
            }
        default:
            uri.type = ObjectClass.allCases.first { $0.rawValue.utf8.elementsEqual(plain) }
            guard uri.type != nil else {
                throw PKCS11URIError.at(
                    range.lowerBound, "type is not known; write cert, private, public, secret-key or data")
            }
        }
    }

    private func decoded(_ range: Range<Int>, _ attribute: URIAttribute) throws(PKCS11URIError) -> [UInt8] {
        var value: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard let escaped = PercentEncoding.unescape(bytes[index..<range.upperBound]) else {
                    throw PKCS11URIError.at(index, "'%' without two hexadecimal digits; write a percent sign as %25")
                }
                value.append(escaped)
                index += 3
            } else {
                guard attribute.component.allows(byte) else { throw PKCS11URIError.unescaped(byte, at: index) }
                value.append(byte)
                index += 1
            }
        }
        guard value.count <= attribute.maximumLength else {
            let reason = attribute.fieldWidth == nil ? "shorten it" : "no PKCS#11 module can have that, so correct it"
            throw PKCS11URIError.at(
                range.lowerBound,
                "\(attribute.rawValue) has \(value.count) bytes and may have \(attribute.maximumLength); \(reason)")
        }
        guard attribute.component == .path || !value.contains(0) else {
            throw PKCS11URIError.at(
                range.lowerBound, "\(attribute.rawValue) has a NUL byte, where C would end it; remove the %00")
        }
        return value
    }

    private func parseName(_ range: Range<Int>, in component: URIComponent) throws(PKCS11URIError) -> URIAttribute {
        guard !range.isEmpty else {
            throw PKCS11URIError.at(range.lowerBound, "an attribute has no name before '='; write NAME=VALUE")
        }
        if let index = range.first(where: { !isNameByte(bytes[$0]) }) {
            throw PKCS11URIError.badName(bytes[index], at: index)
        }
        let name = String(decoding: bytes[range], as: UTF8.self)
        guard let attribute = URIAttribute(rawValue: name) else {
            throw PKCS11URIError.unknown(name, in: component, at: range.lowerBound)
        }
        guard attribute.component == component else {
            let side = component == .path ? "after" : "before"
            throw PKCS11URIError.at(range.lowerBound, "\(name) is in the wrong half; write it \(side) the '?'")
        }
        return attribute
    }

    /// `pk11-v-attr-nm-char` of RFC 7512 §2.3.
    private func isNameByte(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
