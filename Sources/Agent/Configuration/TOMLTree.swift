import PlainText

/// The definitions of a document so far, and the rules for further ones (TOML 1.0.0, "Keys", "Table", "Array of
/// Tables").
///
/// A second definition of a key is noted, and its value is kept out of the tree. The rest of the document is read.
struct TOMLTree {
    private enum Content: Equatable {
        /// `section` is the header below which a dotted key defined it: it stays open there, and only there.
        case table(Origin)
        case array(isOfTables: Bool)
        case leaf
    }

    private enum Origin: Equatable {
        case implied
        case header
        case dotted(section: Int)
        case inline
    }

    private struct Node {
        var content: Content
        var line: Int
        let depth: Int
        var children: [String: Int] = [:]
        var elements: [Int] = []
        var value: TOMLNode.Value?
    }

    /// Tables and arrays within each other, more than our own five and few enough to recurse over.
    static let deepest = 16

    /// Node 0 is the document.
    private var nodes = [Node(content: .table(.header), line: 1, depth: 0)]
    private(set) var duplicates: [TOMLFault] = []

    func line(of node: Int) -> Int { nodes[node].line }

    /// The table of `[key]`.
    mutating func table(_ key: [String], line: Int) throws(TOMLFault) -> Int {
        guard let (parent, name) = try parent(ofHeader: key, line: line) else { return try detached(line: line) }
        guard let known = nodes[parent].children[name] else {
            return try add(.table(.header), name, to: parent, line: line)
        }
        guard nodes[known].content == .table(.implied) else {
            return try duplicate("[\(Self.shown(key))]", of: known, line: line)
        }
        (nodes[known].content, nodes[known].line) = (.table(.header), line)
        return known
    }

    /// A new element of `[[key]]`.
    mutating func element(_ key: [String], line: Int) throws(TOMLFault) -> Int {
        guard let (parent, name) = try parent(ofHeader: key, line: line) else { return try detached(line: line) }
        let array = try child(of: parent, name, else: .array(isOfTables: true), line: line)
        guard nodes[array].content == .array(isOfTables: true) else {
            return try duplicate("[[\(Self.shown(key))]]", of: array, line: line)
        }
        return try append(.table(.header), to: array, line: line)
    }

    /// The place for the value of `key` in a table; see `Content.table` for `section`.
    mutating func leaf(_ key: [String], in table: Int, section: Int, line: Int) throws(TOMLFault) -> Int {
        var node = table
        for (index, part) in key.dropLast().enumerated() {
            let origin = Origin.dotted(section: section)
            if let known = nodes[node].children[part] {
                guard [.table(.implied), .table(origin)].contains(nodes[known].content) else {
                    return try duplicate(Self.shown(key.prefix(index + 1)).quoted, of: known, line: line)
                }
                nodes[known].content = .table(origin)
                node = known
            } else {
                node = try add(.table(origin), part, to: node, line: line)
            }
        }
        let name = key[key.count - 1]
        if let known = nodes[node].children[name] {
            return try duplicate(Self.shown(key).quoted, of: known, line: line)
        }
        return try add(.leaf, name, to: node, line: line)
    }

    mutating func set(_ node: Int, to value: TOMLNode.Value) { nodes[node].value = value }

    mutating func makeArray(_ node: Int) { nodes[node].content = .array(isOfTables: false) }

    mutating func makeInlineTable(_ node: Int) { nodes[node].content = .table(.inline) }

    mutating func append(to array: Int, line: Int) throws(TOMLFault) -> Int {
        try append(.leaf, to: array, line: line)
    }

    /// All that the document holds.
    func entries() -> [String: TOMLNode] { nodes[0].children.mapValues(node) }

    // It calls itself, at most `deepest` times.
    private func node(_ index: Int) -> TOMLNode {
        let node = nodes[index]
        let value: TOMLNode.Value =
            switch node.content {
            case .table: .table(node.children.mapValues(self.node))
            case .array: .array(node.elements.map(self.node))
            case .leaf: node.value ?? .table([:])  // every leaf of a whole document has its value
            }
        return TOMLNode(value: value, line: node.line)
    }
}

extension TOMLTree {
    /// Where the last part of a header's key belongs; nil when it leads through something that is closed.
    private mutating func parent(
        ofHeader key: [String], line: Int
    ) throws(TOMLFault) -> (node: Int, name: String)? {
        var node = 0
        for (index, part) in key.dropLast().enumerated() {
            let next = try child(of: node, part, else: .table(.implied), line: line)
            switch nodes[next].content {
            case .table(.inline), .array(isOfTables: false), .leaf:
                note(Self.shown(key.prefix(index + 1)).quoted, of: next, line: line)
                return nil
            case .array(isOfTables: true): node = nodes[next].elements.last ?? next
            case .table: node = next
            }
        }
        return (node, key[key.count - 1])
    }

    private mutating func child(
        of parent: Int, _ name: String, else content: Content, line: Int
    ) throws(TOMLFault) -> Int {
        if let known = nodes[parent].children[name] { return known }
        return try add(content, name, to: parent, line: line)
    }

    private mutating func add(
        _ content: Content, _ name: String, to parent: Int, line: Int
    ) throws(TOMLFault) -> Int {
        let node = try addNode(content, depth: nodes[parent].depth + 1, line: line)
        nodes[parent].children[name] = node
        return node
    }

    private mutating func append(_ content: Content, to array: Int, line: Int) throws(TOMLFault) -> Int {
        let node = try addNode(content, depth: nodes[array].depth + 1, line: line)
        nodes[array].elements.append(node)
        return node
    }

    private mutating func duplicate(_ name: String, of known: Int, line: Int) throws(TOMLFault) -> Int {
        note(name, of: known, line: line)
        return try detached(line: line)
    }

    private mutating func note(_ name: String, of known: Int, line: Int) {
        let message = "\(name) stands in line \(nodes[known].line) already; keep one of them"
        duplicates.append(TOMLFault(line: line, message: message))
    }

    private mutating func detached(line: Int) throws(TOMLFault) -> Int {
        try addNode(.table(.header), depth: 1, line: line)
    }

    private mutating func addNode(_ content: Content, depth: Int, line: Int) throws(TOMLFault) -> Int {
        guard depth <= Self.deepest else {
            throw TOMLFault(line: line, message: "nested more than \(Self.deepest) deep; no setting is")
        }
        nodes.append(Node(content: content, line: line, depth: depth))
        return nodes.count - 1
    }

    private static func shown(_ key: some Collection<String>) -> String {
        PlainText.log(key.joined(separator: "."), longest: 80)
    }
}
