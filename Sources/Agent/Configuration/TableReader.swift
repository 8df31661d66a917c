import Encodings
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

    /// The value of `key` as `convert` makes it; nil when it is absent, or wrong, which adds a fault.
    mutating func value<Value>(_ key: String, _ convert: (TOMLNode) throws(ValueFault) -> Value) -> Value? {
        known.append(key)
        guard let node = entries[key] else { return nil }
        return converted(key, node, convert)
    }

    /// As `value`; an absent key is a fault as well.
    mutating func required<Value>(_ key: String, _ convert: (TOMLNode) throws(ValueFault) -> Value) -> Value? {
        if entries[key] == nil { fault("\(title) has no \(key); add it") }
        return value(key, convert)
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        value(key) { node throws(ValueFault) in
            guard case .integer(let integer) = node.value else { throw ValueFault(" is \(node.kind); give an integer") }
            guard range.contains(integer) else {
                throw ValueFault(" is \(integer); give \(range.lowerBound) to \(range.upperBound)")
            }
            return integer
        }
    }

    mutating func boolean(_ key: String) -> Bool? {
        value(key) { node throws(ValueFault) in
            guard case .boolean(let boolean) = node.value else {
                throw ValueFault(" is \(node.kind); give true or false")
            }
            return boolean
        }
    }

    mutating func absolutePath(_ key: String) -> String? {
        value(key) { node throws(ValueFault) in try TOMLNode.absolutePath(try node.text()) }
    }

    /// The elements of the array `key`, except those that are wrong, which add a fault each.
    mutating func list<Value>(_ key: String, _ convert: (TOMLNode) throws(ValueFault) -> Value) -> [Value] {
        let elements = value(key) { node throws(ValueFault) in try node.elements() }
        return (elements ?? []).compactMap { converted(key, $0, convert) }
    }

    /// The text of every key in the table `key`, the keys being the user's own.
    mutating func texts(
        _ key: String, _ check: (_ key: String, _ value: TOMLNode) throws(ValueFault) -> String
    ) -> [String: String] {
        var texts: [String: String] = [:]
        for (name, node) in Self.fromTheTop(entries(key) ?? [:]) {
            texts[name] = converted("\(key).\(PlainText.log(name, longest: 80))", node) { node throws(ValueFault) in
                try check(name, node)
            }
        }
        return texts
    }

    /// A table within this one; nil when it is absent.
    mutating func table(_ key: String, title: String) -> TableReader? {
        entries(key).map { TableReader($0, title: title, at: (file, lineOf(key)), faults: faults) }
    }

    /// The tables of `[[key]]`.
    mutating func tables(_ key: String) -> [TableReader] {
        let advice = "write [[\(key)]], once for each"
        let elements = value(key) { node throws(ValueFault) in try node.elements(advice) } ?? []
        return elements.compactMap { node in
            guard case .table(let entries) = node.value else {
                fault(at: node.line, "\(key) holds \(node.kind); \(advice)")
                return nil
            }
            return TableReader(entries, title: "[[\(key)]]", at: (file, node.line), faults: faults)
        }
    }

    /// - Parameter advice: What to do where it is no table.
    mutating func entries(_ key: String, _ advice: String = "give a table") -> [String: TOMLNode]? {
        value(key) { node throws(ValueFault) in
            guard case .table(let entries) = node.value else { throw ValueFault(" is \(node.kind); \(advice)") }
            return entries
        }
    }

    /// Whether `key` is there, which is a key that is known here whatever its value.
    mutating func mayHave(_ key: String) -> Bool {
        known.append(key)
        return has(key)
    }

    func has(_ key: String) -> Bool { entries[key] != nil }

    /// Where a key stands, or else where the table begins.
    func lineOf(_ key: String) -> Int { entries[key]?.line ?? line }

    func fault(at line: Int? = nil, _ message: @autoclosure () -> String) {
        faults.add(file: file, line: line ?? self.line, message())
    }

    /// Adds a fault for each key that was not read.
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

/// A fault in one value, as text that follows its key: ` is 7; give …`, or `: …` before a parser's message.
struct ValueFault: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

extension TOMLNode {
    /// Its type, as a message names it.
    var kind: String {
        switch value {
        case .text: "a string"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .array: "an array"
        case .table: "a table"
        }
    }

    /// Text that is not empty, fits on one line, and holds no PIN.
    func text(limit: Int = 4096) throws(ValueFault) -> String {
        guard case .text(let text) = value else { throw ValueFault(" is \(kind); give a string") }
        guard !text.isEmpty else { throw ValueFault(" is empty; give a value, or remove the key") }
        guard text.utf8.count <= limit else {
            throw ValueFault(" has \(text.utf8.count) bytes; give at most \(limit)")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw ValueFault(" holds a control character; remove it")
        }
        // Before any other check: its message must not repeat a PIN.
        guard !text.lowercased().holds(text: "pin-value") else {
            throw ValueFault(
                " holds a pin-value, which is refused because whoever reads the file learns the PIN; "
                    + "use pin-source in [[token]], or run 'tokenward unlock'")
        }
        return text
    }

    /// - Parameter advice: What to do where it is no array.
    func elements(_ advice: String = "give an array") throws(ValueFault) -> [TOMLNode] {
        guard case .array(let elements) = value else { throw ValueFault(" is \(kind); \(advice)") }
        return elements
    }

    static func absolutePath(_ path: String) throws(ValueFault) -> String {
        guard path.hasPrefix("/") else {
            throw ValueFault(" is \(path.quoted), which is relative; give an absolute path, from / on")
        }
        guard path.utf8.last != UInt8(ascii: "/") else {
            throw ValueFault(" is \(path.quoted), which is a directory; give a file")
        }
        return path
    }

    /// The path of a `file:` URI: `file:/PATH` or `file:///PATH` (RFC 8089), without escapes.
    static func path(ofFileURI text: String) throws(ValueFault) -> String {
        let rest = text.dropFirst("file:".count)
        let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest
        guard !path.hasPrefix("//") else {
            throw ValueFault(" is \(text.quoted), a file of another host; give file:/PATH")
        }
        guard !path.contains("%") else {
            throw ValueFault(" is \(text.quoted), and escapes are not undone here; give a path without %")
        }
        return try absolutePath(String(path))
    }
}
