import AgentAPI
import PlainText

/// What a token says of a key, in lines.
enum KeyTable {
    /// One line for each word of the token, and one for each remark.
    static func lines(of key: KeyListing) -> String {
        let words: [(String, Bool?)] = [
            ("local", key.local), ("sensitive", key.sensitive), ("always sensitive", key.alwaysSensitive),
            ("extractable", key.extractable), ("never extractable", key.neverExtractable),
            ("sign only", key.signOnly), ("PIN each time", key.alwaysAuthenticate),
        ]
        let facts = [
            ("type", key.keyType), ("token", key.token), ("serial", key.serial), ("id", key.id), ("label", key.label),
        ]
        let answers = words.map { ($0, $1.map { $0 ? "yes" : "no" } ?? "not said") }
        let all = facts + (key.hasPrivateKey ? answers : []) + key.remarks.map { ("remark", $0) }
        return all.map { line($0, $1) }.joined()
    }

    static func line(_ name: String, _ value: String) -> String {
        "\(name):\(String(repeating: " ", count: max(1, 19 - name.count)))\(plain(value))\n"
    }

    static func plain(_ text: String) -> String { PlainText.terminal(text) }
}
