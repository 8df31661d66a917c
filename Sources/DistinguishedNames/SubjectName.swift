import ASN1
import PlainText

/// A distinguished name for a certificate request, made from RFC 4514 text.
package struct SubjectName: Hashable, Sendable {
    /// The longest text that is taken, in bytes: with more no certificate would fit into a request of Roles Anywhere's.
    package static let longestText = 4096

    /// `Name` of RFC 5280 §4.1.2.4: the text's last relative name stands first (RFC 4514 §2.1).
    package let der: [UInt8]

    /// - Throws: `DistinguishedNameError` for a text that is no name, an unknown type, a value that its type does not take or
    ///   that holds characters without a visible shape, and one type twice in a relative name.
    package init(_ text: String) throws(DistinguishedNameError) {
        guard text.utf8.count <= Self.longestText else {
            throw .at(column: Self.longestText + 1, "the name has more than \(Self.longestText) bytes")
        }
        var parts: [[UInt8]] = []
        for part in try NameText(text).parts.reversed() {
            var attributes: [String: [UInt8]] = [:]
            for attribute in part {
                guard let kind = AttributeKind(attribute.type) else {
                    throw .at(
                        column: attribute.typeColumn,
                        "unknown attribute type '\(attribute.type)'; write an object identifier, such as 2.5.4.3, for "
                            + "types without a name here")
                }
                guard attributes[kind.identifier] == nil else {
                    throw .at(column: attribute.typeColumn, "\(kind.name) stands twice in one relative name")
                }
                attributes[kind.identifier] = DER.sequence(
                    DER.objectIdentifier(kind.identifier) ?? [], try kind.der(of: attribute))
            }
            parts.append(DER.set(of: Array(attributes.values)))
        }
        der = DER.value(.sequence, parts.flatMap { $0 })
    }
}

extension AttributeKind {
    fileprivate func der(of attribute: NameText.Attribute) throws(DistinguishedNameError) -> [UInt8] {
        switch attribute.value {
        case .text(let characters):
            try check(characters, at: attribute.valueColumn)
            return DER.value(syntax.tag, characters.map(\.byte))
        case .der(let der):
            guard let (tag, content) = Self.text(in: der) else {
                throw .at(
                    column: attribute.valueColumn,
                    "after '#' stands no UTF8String, PrintableString or IA5String in DER")
            }
            let column = attribute.valueColumn
            try check(content.map { NameText.Character(byte: $0, column: column) }, at: column)
            let form: Syntax = tag == .printableString ? .printable : tag == .ia5String ? .ia5 : .directory
            guard content.allSatisfy({ $0 >= 0x80 || form.allows(Unicode.Scalar($0)) }),
                form.allows("é") || content.allSatisfy({ $0 < 0x80 })
            else { throw .at(column: column, "the string after '#' holds what its kind does not: \(form.description)") }
            return der
        }
    }

    private func check(_ value: [NameText.Character], at column: Int) throws(DistinguishedNameError) {
        guard let text = String(validating: value.map(\.byte), as: UTF8.self) else {
            throw .at(column: column, "the value of \(name) is not UTF-8")
        }
        var offset = 0
        for scalar in text.unicodeScalars {
            let place = value[offset].column
            guard PlainText.isHarmless(scalar) else {
                throw .at(
                    column: place,
                    "the value of \(name) holds U+\(Self.hexadecimal(scalar)), a control character or one that shows nothing"
                )
            }
            guard syntax.allows(scalar) else {
                throw .at(column: place, "\(name) takes \(syntax.description)")
            }
            offset += UTF8.width(scalar)
        }
        let count = text.unicodeScalars.count
        guard count > 0 else { throw .at(column: column, "\(name) has no value") }
        guard length.contains(count) else {
            let limit =
                length.lowerBound == length.upperBound
                ? "exactly \(length.upperBound)" : "at most \(length.upperBound)"
            throw .at(column: column, "\(name) has \(count) characters; it takes \(limit)")
        }
    }

    /// The content of a DER string of at most 65,535 bytes that is nothing else; nil for other bytes.
    private static func text(in der: [UInt8]) -> (DER.Tag, [UInt8])? {
        guard let tag = der.first.flatMap(DER.Tag.init), [.utf8String, .printableString, .ia5String].contains(tag)
        else {
            return nil
        }
        for header in 2...4 where der.count >= header {
            let content = Array(der.dropFirst(header))
            if DER.value(tag, content) == der { return (tag, content) }
        }
        return nil
    }

    /// Four digits or more, as Unicode writes them.
    private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
