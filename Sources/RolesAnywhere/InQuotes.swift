import PlainText

extension String {
    /// The text in single quotes, harmless and cut, for an error message.
    var inQuotes: String { "'\(PlainText.message(self, longest: 160))'" }
}
