import Encodings
import PlainText

/// A value of a TOML document, and where it stands.
package struct TOMLNode {
    /// The types that settings have. TOML has floats and dates as well, which no setting takes.
    package enum Value {
        case text(String)
        case integer(Int)
        case boolean(Bool)
        case array([TOMLNode])
        case table([String: TOMLNode])
    }

    package let value: Value
    /// Counted from 1. Of a table: its header, or else its first mention.
    let line: Int
}

/// Reads a TOML 1.0.0 document from left to right, once, into values that know their lines.
///
/// A second definition of a key or a table ("Keys", "Table", "Array of Tables") is noted, and its value is not part of
/// the document. The rest is read.
package struct TOMLParser {
    /// A table, which further headers and keys may add to.
    private final class Table {
        /// How it was defined, which decides what may add to it.
        enum Origin: Equatable {
            /// By the header of a table in it.
            case implied
            case header
            /// By a dotted key in this section; there it stays open, and only there.
            case dotted(section: Int)
        }

        var origin: Origin
        var line: Int
        /// How many tables and arrays it is in.
        let depth: Int
        var entries: [String: Entry] = [:]

        init(_ origin: Origin = .header, line: Int = 1, depth: Int = 0) {
            (self.origin, self.line, self.depth) = (origin, line, depth)
        }

        var nodes: [String: TOMLNode] { entries.mapValues(\.node) }
    }

    /// The tables of `[[key]]`, of which there is at least one.
    private final class Tables { var all: [Table] = [] }

    private enum Entry {
        case table(Table)
        case tables(Tables)
        /// Closed: arrays and inline tables are written at once.
        case value(TOMLNode)

        var line: Int {
            switch self {
            case .table(let table): table.line
            case .tables(let tables): tables.all[0].line
            case .value(let node): node.line
            }
        }

        var node: TOMLNode {
            switch self {
            case .table(let table): TOMLNode(value: .table(table.nodes), line: table.line)
            case .tables(let tables):
                TOMLNode(
                    value: .array(tables.all.map { TOMLNode(value: .table($0.nodes), line: $0.line) }), line: line)
            case .value(let node): node
            }
        }
    }

    /// Tables and arrays within each other: more than our own five, and few enough to recurse over.
    private static let deepest = 16

    private var cursor: TOMLCursor
    private let document = Table()
    /// The number of headers so far.
    private var section = 0
    private var duplicates: [TOMLFault] = []

    private init(_ bytes: [UInt8]) { cursor = TOMLCursor(bytes) }

    /// The tables and values of a document.
    ///
    /// - Parameter fault: Called for each fault: all keys and tables that are defined twice, and the first of others.
    /// - Returns: Nil after a fault.
    package static func parse(_ bytes: [UInt8], fault: (TOMLFault) -> Void) -> [String: TOMLNode]? {
        var parser = TOMLParser(bytes)
        do throws(TOMLFault) {
            try parser.read()
        } catch {
            parser.duplicates.append(error)
        }
        parser.duplicates.forEach(fault)
        return parser.duplicates.isEmpty ? parser.document.nodes : nil
    }

    private mutating func read() throws(TOMLFault) {
        try cursor.checkEncoding()
        var table = document
        while true {
            try cursor.skipLines()
            guard cursor.next != nil else { return }
            let line = cursor.line
            if cursor.take("[[") {
                table = try element(try header(closing: "]]"), line)
            } else if cursor.take("[") {
                table = try self.table(try header(closing: "]"), line)
            } else {
                try setting(in: table)
            }
            try cursor.endLine()
        }
    }

    private mutating func header(closing bracket: String) throws(TOMLFault) -> [String] {
        section += 1
        let key = try key()
        guard cursor.take(bracket) else { throw cursor.fault("a table's name without \(bracket); close it") }
        return key
    }

    /// The parts between a key's dots.
    private mutating func key() throws(TOMLFault) -> [String] {
        var parts: [String] = []
        repeat {
            cursor.skipSpaces()
            try checkDepth(parts.count + 1, cursor.line)
            parts.append(try keyPart())
            cursor.skipSpaces()
        } while cursor.take(".")
        return parts
    }

    private mutating func keyPart() throws(TOMLFault) -> String {
        if cursor.take("\"\"\"") || cursor.take("'''") {
            throw cursor.fault("a key in three quotation marks; use one")
        }
        if cursor.nextIsText { return try cursor.text() }
        let part = cursor.take { $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        guard !part.isEmpty else {
            throw cursor.fault("a key is missing; write it in letters, digits, - and _, or in quotation marks")
        }
        return String(decoding: part, as: UTF8.self)
    }

    private func checkDepth(_ depth: Int, _ line: Int) throws(TOMLFault) {
        guard depth > Self.deepest else { return }
        throw TOMLFault(line: line, message: "nested more than \(Self.deepest) deep; no setting is")
    }
}

// MARK: - Values

extension TOMLParser {
    /// Reads `KEY = VALUE` into a table.
    private mutating func setting(in table: Table) throws(TOMLFault) {
        let line = cursor.line
        let key = try key()
        guard cursor.take("=") else { throw cursor.fault("a key without =; write KEY = VALUE") }
        let (table, name) = try place(of: key, in: table, line)
        try checkDepth(table.depth + 1, line)
        table.entries[name] = .value(TOMLNode(value: try value(depth: table.depth + 1), line: line))
    }

    /// A value with all that is in it. It calls itself, at most `deepest` times.
    private mutating func value(depth: Int) throws(TOMLFault) -> TOMLNode.Value {
        cursor.skipSpaces()
        if cursor.take("[") { return .array(try elements(depth: depth + 1)) }
        if cursor.take("{") { return .table(try settings(of: Table(depth: depth))) }
        return cursor.nextIsText ? .text(try cursor.text()) : try cursor.scalar()
    }

    private mutating func elements(depth: Int) throws(TOMLFault) -> [TOMLNode] {
        let start = cursor.line
        var elements: [TOMLNode] = []
        try cursor.skipLines()
        while !cursor.take("]") {
            guard cursor.next != nil else { throw unclosed("an array", "]", from: start) }
            let line = cursor.line
            try checkDepth(depth, line)
            elements.append(TOMLNode(value: try value(depth: depth), line: line))
            try cursor.skipLines()
            if cursor.next != UInt8(ascii: "]") {
                guard cursor.take(",") else { throw unclosed("an array", "]", from: start) }
                try cursor.skipLines()
            }
        }
        return elements
    }

    private mutating func settings(of table: Table) throws(TOMLFault) -> [String: TOMLNode] {
        let start = cursor.line
        cursor.skipSpaces()
        if cursor.take("}") { return [:] }
        repeat {
            cursor.skipSpaces()
            guard let byte = cursor.next, !byte.isControl else { break }
            try setting(in: table)
            cursor.skipSpaces()
            if cursor.take("}") { return table.nodes }
        } while cursor.take(",")
        throw unclosed("an inline table", "}", from: start)
    }

    private func unclosed(_ what: String, _ bracket: String, from line: Int) -> TOMLFault {
        let place = line == cursor.line ? "" : " before line \(cursor.line)"
        return TOMLFault(line: line, message: "\(what) without a comma or \(bracket)\(place); add it")
    }
}

// MARK: - Tables

extension TOMLParser {
    /// The table of `[key]`.
    private mutating func table(_ key: [String], _ line: Int) throws(TOMLFault) -> Table {
        guard let (parent, name) = try parent(ofHeader: key, line) else { return Table() }
        switch parent.entries[name] {
        case nil: return try add(name, to: parent, .header, line)
        case .table(let table) where table.origin == .implied:
            (table.origin, table.line) = (.header, line)
            return table
        case let known?: return duplicate("[\(Self.shown(key))]", of: known, line)
        }
    }

    /// A new element of `[[key]]`.
    private mutating func element(_ key: [String], _ line: Int) throws(TOMLFault) -> Table {
        guard let (parent, name) = try parent(ofHeader: key, line) else { return Table() }
        let tables: Tables
        switch parent.entries[name] {
        case nil: tables = Tables()
        case .tables(let known): tables = known
        case let known?: return duplicate("[[\(Self.shown(key))]]", of: known, line)
        }
        try checkDepth(parent.depth + 2, line)
        let table = Table(line: line, depth: parent.depth + 2)
        tables.all.append(table)
        parent.entries[name] = .tables(tables)
        return table
    }

    /// Where the last part of a header's key belongs; nil when it leads through something that is closed.
    private mutating func parent(
        ofHeader key: [String], _ line: Int
    ) throws(TOMLFault) -> (table: Table, name: String)? {
        var table = document
        for (index, part) in key.dropLast().enumerated() {
            switch table.entries[part] {
            case nil: table = try add(part, to: table, .implied, line)
            case .table(let next): table = next
            case .tables(let tables): table = tables.all[tables.all.count - 1]
            case let known?:
                _ = duplicate(Self.shown(key.prefix(index + 1)).quoted, of: known, line)
                return nil
            }
        }
        return (table, key[key.count - 1])
    }

    /// Where the value of a key in this table belongs.
    private mutating func place(
        of key: [String], in start: Table, _ line: Int
    ) throws(TOMLFault) -> (table: Table, name: String) {
        let (origin, name) = (Table.Origin.dotted(section: section), key[key.count - 1])
        var table = start
        for (index, part) in key.dropLast().enumerated() {
            switch table.entries[part] {
            case nil: table = try add(part, to: table, origin, line)
            case .table(let next) where [.implied, origin].contains(next.origin):
                next.origin = origin
                table = next
            case let known?: return (duplicate(Self.shown(key.prefix(index + 1)).quoted, of: known, line), name)
            }
        }
        guard let known = table.entries[name] else { return (table, name) }
        return (duplicate(Self.shown(key).quoted, of: known, line), name)
    }

    private func add(
        _ name: String, to parent: Table, _ origin: Table.Origin, _ line: Int
    ) throws(TOMLFault) -> Table {
        try checkDepth(parent.depth + 1, line)
        let table = Table(origin, line: line, depth: parent.depth + 1)
        parent.entries[name] = .table(table)
        return table
    }

    /// Notes a second definition.
    ///
    /// - Returns: A table of no document, for what it holds.
    private mutating func duplicate(_ name: String, of known: Entry, _ line: Int) -> Table {
        let message = "\(name) stands in line \(known.line) already; keep one of them"
        duplicates.append(TOMLFault(line: line, message: message))
        return Table()
    }

    private static func shown(_ key: some Collection<String>) -> String {
        PlainText.log(key.joined(separator: "."), longest: 80)
    }
}
