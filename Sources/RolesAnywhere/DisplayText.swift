/// Text from elsewhere made fit for one line of a terminal or a log.
enum DisplayText {
    /// `text` without control, format and line-breaking characters, at most `limit` characters long.
    ///
    /// Format characters go too: U+202E and its kin turn a log line round.
    static func cleaned(_ text: String, limit: Int) -> String {
        var result = String.UnicodeScalarView()
        var pendingSpace = false
        var count = 0
        for scalar in text.unicodeScalars {
            guard isShown(scalar) else {
                pendingSpace = !result.isEmpty
                continue
            }
            if pendingSpace {
                result.append(" ")
                count += 1
                pendingSpace = false
            }
            guard count < limit else {
                result.append("…")
                break
            }
            result.append(scalar)
            count += 1
        }
        return String(result)
    }

    /// `text` in single quotes, cleaned and cut, for an error message.
    static func quoted(_ text: String) -> String { "'\(cleaned(text, limit: 160))'" }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned,
            .spaceSeparator:
            false
        default: true
        }
    }
}
