import Encodings

/// Why a text is no PKCS#11 URI that this project takes.
package struct PKCS11URIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line: the column, counted in bytes from 1, what is wrong there, what to do. It never holds the value of an
    /// attribute, because a value may be a secret in the wrong place.
    package var message: String

    package var description: String { message }
}

extension PKCS11URIError {
    static func at(_ index: Int, _ text: String) -> Self { Self(message: "column \(index + 1): \(text)") }

    /// A byte that must be escaped in a value.
    static func unescaped(_ byte: UInt8, at index: Int) -> Self {
        let escape = String(decoding: PercentEncoding.escape(byte), as: UTF8.self)
        return .at(index, "\(name(of: byte)) must be escaped; write \(escape)")
    }

    /// A byte that no attribute's name has.
    static func badName(_ byte: UInt8, at index: Int) -> Self {
        .at(index, "\(name(of: byte)) is in the name of an attribute; names have letters, digits, '-' and '_'")
    }

    /// An attribute that this project does not know: a vendor's, an old name, or a slip.
    static func unknown(_ name: String, in component: URIComponent, at index: Int) -> Self {
        let shown = name.utf8.count <= 40 ? "attribute '\(name)'" : "attribute with a name of \(name.utf8.count) bytes"
        let advice =
            if let known = replacements[name] ?? URIAttribute(rawValue: name.lowercased())?.rawValue {
                "write \(known)"
            } else {
                "known here: "
                    + URIAttribute.allCases.filter { $0.component == component }.map(\.rawValue).joined(separator: ", ")
            }
        return .at(index, "unknown \(shown); \(advice)")
    }

    /// Names of the drafts before RFC 7512, which p11-kit still takes.
    private static var replacements: [String: String] {
        ["objecttype": "type", "object-type": "type", "pinfile": "pin-source"]
    }

    private static func name(of byte: UInt8) -> String {
        switch byte {
        case 0x20: "a space"
        case 0x21...0x7E: "'\(Unicode.Scalar(byte))'"
        default: "byte 0x\(Hexadecimal.encode([byte], .uppercase))"
        }
    }
}
