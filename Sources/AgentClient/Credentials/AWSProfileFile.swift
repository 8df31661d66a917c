/// The profiles of one of AWS' own configuration files, and the names of what each sets.
package struct AWSProfileFile {
    /// By the names of the sections, with one space between the words and no quotation marks, as botocore reads them.
    private var sections: [[UInt8]: Set<String>] = [:]
    private let isConfig: Bool

    /// - Parameters:
    ///   - text: Whatever the file holds: nothing of it is an error here.
    ///   - isConfig: Whether it is `~/.aws/config` and not `~/.aws/credentials`.
    package init(_ text: [UInt8], isConfig: Bool) {
        self.isConfig = isConfig
        var section: [UInt8]?
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if let name = Self.section(line) {
                section = name
                sections[name, default: []].formUnion([])
            } else if let section, let setting = Self.setting(line) {
                sections[section]?.insert(setting)
            }
        }
    }

    /// The names of what the profile sets, in lower case; nil where there is no such profile.
    ///
    /// It is `[profile NAME]` in `~/.aws/config`, `[NAME]` in `~/.aws/credentials`; `default` goes without the word in both.
    package func settings(of profile: ProfileArgument) -> Set<String>? {
        let name = Array(profile.name.utf8)
        guard isConfig else { return sections[name] }
        let long = sections[Array("profile ".utf8) + name]
        guard profile.name == "default", let short = sections[name] else { return long }
        return short.union(long ?? [])
    }

    private static func section(_ line: ArraySlice<UInt8>) -> [UInt8]? {
        guard line.first == UInt8(ascii: "["), let end = line.firstIndex(of: UInt8(ascii: "]")) else { return nil }
        let words = line[(line.startIndex + 1)..<end].filter { !"\"'".utf8.contains($0) }
            .split { " \t".utf8.contains($0) }
        return Array(words.joined(separator: " ".utf8))
    }

    /// Nil for a comment, and for a line that belongs to the one before it.
    private static func setting(_ line: ArraySlice<UInt8>) -> String? {
        guard let first = line.first, !" \t#;".utf8.contains(first),
            let end = line.firstIndex(where: { "=:".utf8.contains($0) })
        else { return nil }
        let words = line[..<end].split { " \t".utf8.contains($0) }
        return String(decoding: Array(words.joined(separator: " ".utf8)), as: UTF8.self).lowercased()
    }
}
