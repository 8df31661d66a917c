/// The profiles of one of AWS' own configuration files.
package struct AWSProfileFile {
    /// The names of its sections, with one space between the words and no quotation marks, as botocore reads them.
    private let sections: [[UInt8]]
    private let isConfig: Bool

    /// - Parameters:
    ///   - text: Whatever the file holds: nothing of it is an error here.
    ///   - isConfig: Whether it is `~/.aws/config` and not `~/.aws/credentials`.
    package init(_ text: [UInt8], isConfig: Bool) {
        self.isConfig = isConfig
        sections = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard line.first == UInt8(ascii: "["), let end = line.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let words = line[(line.startIndex + 1)..<end].filter { !"\"'".utf8.contains($0) }
                .split { " \t".utf8.contains($0) }
            return Array(words.joined(separator: " ".utf8))
        }
    }

    /// `[profile NAME]` in `~/.aws/config`, `[NAME]` in `~/.aws/credentials`; `default` goes without the word in both.
    package func has(_ profile: ProfileArgument) -> Bool {
        let name = Array(profile.name.utf8)
        guard isConfig else { return sections.contains(name) }
        return sections.contains(Array("profile ".utf8) + name) || profile.name == "default" && sections.contains(name)
    }
}
