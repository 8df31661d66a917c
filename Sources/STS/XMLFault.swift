/// Why bytes are no XML that is taken here, and where. It quotes nothing: the bytes may hold a secret.
package struct XMLFault: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case notUTF8
        /// The grammar of XML 1.0 wants something else here, or more.
        case unexpected
        /// XML that no answer of STS has: a document type, a comment, a processing instruction, CDATA, an entity of its own,
        /// a name with a colon or outside ASCII, an encoding or a version other than UTF-8 and 1.0.
        case unsupported
        /// An element has two children of one name, so that it is not known which counts; or two attributes.
        case repeatedName
        /// An element has text beside its children.
        case mixedContent
        /// More bytes, levels or elements than `XMLReader` allows.
        case tooMuch
    }

    package let reason: Reason
    /// In bytes from the start of the text.
    package let offset: Int
}

/// An element with its text or its children. It prints as `‹redacted›`.
package struct XMLElement: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    package let name: String
    /// Empty where there are children.
    package let text: String
    /// In the order of the document; no name comes twice.
    package let children: [XMLElement]

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The child of that name.
    package subscript(name: String) -> XMLElement? { children.first { $0.name == name } }
}
