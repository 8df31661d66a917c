import Encodings

/// A header field of a request or of an answer (RFC 9110 §5).
package struct HeaderField: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

extension [HeaderField] {
    /// The value of the first header of that name, whatever its case.
    package func value(of name: String) -> String? {
        let wanted = name.utf8.map(\.lowercased)
        return first { $0.name.utf8.map(\.lowercased) == wanted }?.value
    }
}
