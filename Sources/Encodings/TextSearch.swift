extension StringProtocol {
    /// Where a text stands first in this one, by its bytes.
    ///
    /// The standard library's own search is in `_StringProcessing`, which brings the engine of regular expressions along:
    /// a megabyte in each program. The build leaves that module out (see the end of Package.swift).
    package func range(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while true {
            let rest = utf8[start...]
            if rest.starts(with: text.utf8) { return start..<utf8.index(start, offsetBy: text.utf8.count) }
            guard start < endIndex else { return nil }
            start = utf8.index(after: start)
        }
    }

    package func holds(text: String) -> Bool { range(ofText: text) != nil }

    /// What follows a prefix; all of it where it does not begin so.
    package func without(prefix: String) -> String {
        String(hasPrefix(prefix) ? dropFirst(prefix.count) : self[...])
    }

    /// What stands between the places where a text stands, and before and behind them.
    package func parts(between text: String) -> [SubSequence] {
        var parts: [SubSequence] = []
        var rest = self[...]
        while !text.isEmpty, let range = rest.range(ofText: text) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
