/// The parameters of a form, checked as AWS' validators do (STS API reference).
struct STSParameters {
    let form: FormFields

    /// A text that may be missing.
    func text(_ name: String, _ length: ClosedRange<Int>, _ pattern: String? = nil) throws(STSError) -> String? {
        guard let text = form[name] else { return nil }
        let member = name.prefix(1).lowercased() + name.dropFirst()
        if text.count < length.lowerBound {
            throw .invalid(text, at: member, "have length greater than or equal to \(length.lowerBound)")
        }
        if text.count > length.upperBound {
            throw .invalid(text, at: member, "have length less than or equal to \(length.upperBound)")
        }
        // `[\w…]*`: letters, digits, the underscore, and these.
        if let pattern, !text.allSatisfy({ Self.isWord($0) || pattern.contains($0) }) {
            throw .invalid(text, at: member, "satisfy regular expression pattern: [\\w\(pattern)]*")
        }
        return text
    }

    func required(_ name: String, _ length: ClosedRange<Int>, _ pattern: String? = nil) throws(STSError) -> String {
        guard let text = try text(name, length, pattern) else {
            throw .invalid(nil, at: name.prefix(1).lowercased() + name.dropFirst(), "not be null")
        }
        return text
    }

    func duration(_ range: ClosedRange<Int>) throws(STSError) -> Int? {
        guard let text = form["DurationSeconds"] else { return nil }
        guard let seconds = Int(text) else {
            throw STSError(status: 400, code: "MalformedInput", message: "'\(text)' is no integer")
        }
        if seconds < range.lowerBound {
            throw .invalid(text, at: "durationSeconds", "have value greater than or equal to \(range.lowerBound)")
        }
        if seconds > range.upperBound {
            throw .invalid(text, at: "durationSeconds", "have value less than or equal to \(range.upperBound)")
        }
        return seconds
    }

    /// `NAME.member.1`, `NAME.member.2` …, each with what follows in `suffix`.
    func list(_ name: String, _ suffix: String = "", most: Int) throws(STSError) -> [String] {
        var values: [String] = []
        while let value = form["\(name).member.\(values.count + 1)\(suffix)"] {
            values.append(value)
            if values.count > most {
                throw .invalid(
                    "[…]", at: name.prefix(1).lowercased() + name.dropFirst(),
                    "have length less than or equal to \(most)")
            }
        }
        return values
    }

    func tags() throws(STSError) -> [String: String] {
        var tags: [String: String] = [:]
        let values = try list("Tags", ".Value", most: 50)
        for (index, key) in try list("Tags", ".Key", most: 50).enumerated() {
            guard (1...128).contains(key.count), index < values.count, values[index].count <= 256,
                (key + values[index]).unicodeScalars.allSatisfy(PrincipalTags.isTagCharacter)
            else {
                throw .invalid(key, at: "tags.\(index + 1).member.key", "be a tag of at most 128 and 256 characters")
            }
            guard !tags.keys.contains(where: { $0.lowercased() == key.lowercased() }) else {
                throw STSError(
                    status: 400, code: "InvalidParameterValue",
                    message: "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
            }
            tags[key] = values[index]
        }
        return tags
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber) || character == "_"
    }
}
