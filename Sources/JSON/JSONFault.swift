/// Why bytes are not a JSON text that is taken here, and where. It quotes nothing: the bytes may hold a secret.
package struct JSONFault: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case notUTF8
        /// The grammar of RFC 8259 §2 wants another byte here, or the end.
        case unexpected
        /// A control character in a string, an escape that is not of RFC 8259 §7, half a surrogate pair, or no end.
        case badString
        /// An object has two members of one name. RFC 8259 §4 lets readers differ about it, so it means nothing.
        case repeatedName
        /// More bytes, levels, values or members than `JSONLimits` allows.
        case tooMuch
        /// It is JSON, but not the value that is needed here.
        case otherValue
    }

    package let reason: Reason
    /// In bytes from the start of the text.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// How much of a text is read before it is refused.
package struct JSONLimits: Sendable {
    /// Length of the text.
    package var bytes: Int
    /// How many arrays and objects may be open at once.
    package var depth: Int
    /// All values, arrays and objects included.
    package var values: Int
    /// Members of one object: the time to look for a name that comes twice grows with its square.
    package var members: Int

    package init(bytes: Int = 1 << 20, depth: Int = 32, values: Int = 1 << 20, members: Int = 1000) {
        self.bytes = bytes
        self.depth = depth
        self.values = values
        self.members = members
    }
}
