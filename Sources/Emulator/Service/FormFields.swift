/// The decoded fields of a query or of a form body.
struct FormFields {
    private var fields: [String: String] = [:]
    /// A name that stands twice; its value is the first one's.
    private(set) var repeatedName: String?

    init(_ text: String, plusIsSpace: Bool) {
        for parameter in text.split(separator: "&") {
            let halves = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(halves[0], plusIsSpace: plusIsSpace),
                let value = PercentEncoding.decode(halves.count == 2 ? halves[1] : "", plusIsSpace: plusIsSpace)
            else { continue }
            let key = String(decoding: name, as: UTF8.self)
            if fields[key] == nil { fields[key] = String(decoding: value, as: UTF8.self) } else { repeatedName = key }
        }
    }

    subscript(name: String) -> String? { fields[name] }
}
