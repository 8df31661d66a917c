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
        let wide = width(of: word)
        let fits = used == 0 || used + 1 + wide <= columns
        if fits, used > 0 {
            lines[lines.count - 1] += " "
            used += 1
        } else if used > 0 {
            lines.append("")
            used = 0
        }
        for character in word {
            let wide = width(of: [character])
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

/// In columns: characters of East Asian scripts take two (Unicode Standard Annex #11). From Hangul on all are counted as
/// such: a line that is broken early harms no reader.
private func width(of characters: some Sequence<Character>) -> Int {
    characters.reduce(0) { $0 + ($1.unicodeScalars.first.map { $0.value >= 0x1100 ? 2 : 1 } ?? 0) }
}
