import PlainText

/// Breaks lines that are wider than a window: pinentry-qt does not, and its buttons end up outside the screen.
///
/// Lines break at spaces. A word that is wider than a line breaks within: no part of it is lost.
///
/// - Parameters:
///   - text: Lines, separated by newlines.
///   - columns: The widest line, counted as a terminal does.
func brokenLines(_ text: String, columns: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { broken($0, columns: columns) }.joined(separator: "\n")
}

private func broken(_ line: Substring, columns: Int) -> String {
    var lines = [""]
    var used = 0
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
        let wide = PlainText.columns(of: word.unicodeScalars)
        let fits = used == 0 || used + 1 + wide <= columns
        if fits, used > 0 {
            lines[lines.count - 1] += " "
            used += 1
        } else if used > 0 {
            lines.append("")
            used = 0
        }
        for character in word {
            let wide = PlainText.columns(of: character.unicodeScalars)
            if used + wide > columns {
                lines.append("")
                used = 0
            }
            lines[lines.count - 1].append(character)
            used += wide
        }
    }
    return lines.joined(separator: "\n")
}
