/// `key=value` as a log line has it, so that no value can be taken for more than one field.
struct LogField: CustomStringConvertible {
    let key: String
    let value: String

    /// The longest value, in characters: what follows must have a place in the line.
    private static let longest = 1024

    /// The value as it is where it is one word of printable ASCII, without a quote and a backslash; else in quotes, with a
    /// backslash before those two. Control characters become `\u{…}` with the line.
    var description: String {
        let isWord = value.utf8.allSatisfy {
            (0x21..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isWord, !value.isEmpty, value.utf8.count <= Self.longest { return "\(key)=\(value)" }
        var text = "\(key)=\""
        for scalar in value.unicodeScalars.prefix(Self.longest) {
            if scalar == "\"" || scalar == "\\" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text + (value.unicodeScalars.count > Self.longest ? "…\"" : "\"")
    }
}
