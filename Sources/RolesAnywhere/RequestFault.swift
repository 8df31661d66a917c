import PlainText

/// Why a value cannot be part of a request.
package struct RequestFault: Error, Hashable, Sendable {
    /// One line, which quotes the value and shows the expected form.
    package let message: String
}

extension String {
    /// The text in single quotes, harmless and cut, for an error message.
    var inQuotes: String { "'\(PlainText.message(self, longest: 160))'" }
}
