extension String {
    /// The text on one line: control and invisible formatting characters as `\u{…}`, cut after `limit` characters.
    package func printable(limit: Int) -> String {
        var text = ""
        var count = 0
        for scalar in unicodeScalars {
            guard count < limit else { return text + "…" }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse, .surrogate:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The text in quotation marks, as a message shows what a file holds.
    package var quoted: String { "\"" + printable(limit: 80) + "\"" }
}
