import PlainText

/// Why a value cannot be part of a request.
package struct RequestFault: Error, Hashable, Sendable {
    /// One line, which quotes the value and shows the expected form.
    package let message: String

    package init(message: String) { self.message = message }
}

extension String {
    /// The text in single quotes, harmless and cut, for an error message.
    package var inQuotes: String { "'\(PlainText.message(self, longest: 160))'" }
}
