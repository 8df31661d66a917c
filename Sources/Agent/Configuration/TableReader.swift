import PlainText

/// Reads one table key by key, and afterwards refuses the keys that were not read.
struct TableReader {
    let file: String
    /// As messages name it: `[profile.prod]`.
    let title: String
    /// Where it begins, counted from 1.
    let line: Int
    let faults: FaultList
    private let entries: [String: TOMLNode]
    private var known: [String] = []

    init(_ entries: [String: TOMLNode], title: String, at place: (file: String, line: Int), faults: FaultList) {
        self.entries = entries
        self.title = title
        (file, line) = place
        self.faults = faults
    }

    /// The value of `key` as `convert` makes it; nil when it is absent, or wrong and told of.
    mutating func value<Value>(_ key: String, _ convert: (TOMLNode) throws(ValueFault) -> Value) -> Value? {
        known.append(key)
        guard let node = entries[key] else { return nil }
        return converted(key, node, convert)
    }

    /// As `value`, and a key that is absent is told of.
    mutating func required<Value>(_ key: String, _ convert: (TOMLNode) throws(ValueFault) -> Value) -> Value? {
        if entries[key] == nil { fault("\(title) has no \(key); add it") }
        return value(key, convert)
    }

    /// Every element of the array `key`, each converted and told of by itself.
    mutating func list<Value>(_ key: String, _ convert: (TOMLNode) throws(ValueFault) -> Value) -> [Value] {
        let elements = value(key) { node throws(ValueFault) in try node.elements() } ?? []
        return elements.compactMap { converted(key, $0, convert) }
    }

    /// The text of every key in the table `key`, the keys being the user's own.
    mutating func texts(
        _ key: String, _ check: (_ key: String, _ value: TOMLNode) throws(ValueFault) -> String
    ) -> [String: String] {
        var texts: [String: String] = [:]
        let entries = value(key) { node throws(ValueFault) in try node.entries() } ?? [:]
        for (name, node) in Self.fromTheTop(entries) {
            texts[name] = converted("\(key).\(PlainText.log(name, longest: 80))", node) { node throws(ValueFault) in
                try check(name, node)
            }
        }
        return texts
    }

    /// A table within this one; nil when it is absent.
    mutating func table(_ key: String, title: String) -> TableReader? {
        guard let entries = value(key, { node throws(ValueFault) in try node.entries() }) else { return nil }
        return TableReader(entries, title: title, at: (file, lineOf(key)), faults: faults)
    }

    func has(_ key: String) -> Bool { entries[key] != nil }

    /// Where a key stands, or else where the table begins.
    func lineOf(_ key: String) -> Int { entries[key]?.line ?? line }

    func fault(at line: Int? = nil, _ message: @autoclosure () -> String) {
        faults.add(file: file, line: line ?? self.line, message())
    }

    /// Tells of every key that was not asked for.
    func refuseUnknownKeys() {
        for (key, node) in Self.fromTheTop(entries) where !known.contains(key) {
            fault(at: node.line, "unknown key \(key.quoted) in \(title); \(advice(for: key))")
        }
    }

    private func advice(for key: String) -> String {
        guard let name = nearestName(to: key, among: known) else { return "it takes \(known.joined(separator: ", "))" }
        return "did you mean \(name.quoted)?"
    }

    private static func fromTheTop(_ entries: [String: TOMLNode]) -> [(key: String, value: TOMLNode)] {
        entries.sorted { ($0.value.line, $0.key) < ($1.value.line, $1.key) }
    }

    private func converted<Value>(
        _ name: String, _ node: TOMLNode, _ convert: (TOMLNode) throws(ValueFault) -> Value
    ) -> Value? {
        do throws(ValueFault) {
            return try convert(node)
        } catch {
            fault(at: node.line, name + error.text)
            return nil
        }
    }
}
