import Encodings

/// Reads a TOML 1.0.0 document from left to right, once, into values that know their lines.
package struct TOMLParser {
    /// A table that its keys are in, and the part of the document within which dotted keys may open its tables.
    private struct Section {
        var table: Int
        var number: Int
    }

    private enum Container {
        case array(Int)
        case inlineTable(Section, line: Int)
    }

    private var cursor: TOMLCursor
    private var tree = TOMLTree()
    private var sections = 0

    private init(_ bytes: [UInt8]) { cursor = TOMLCursor(bytes) }

    /// The tables and values of a document.
    ///
    /// - Parameter fault: Called for each fault: all keys and tables that are defined twice, and the first of others.
    /// - Returns: Nil after a fault.
    package static func parse(_ bytes: [UInt8], fault: (TOMLFault) -> Void) -> [String: TOMLNode]? {
        var parser = TOMLParser(bytes)
        do throws(TOMLFault) {
            try parser.document()
        } catch let syntax {
            parser.tree.duplicates.forEach(fault)
            fault(syntax)
            return nil
        }
        parser.tree.duplicates.forEach(fault)
        return parser.tree.duplicates.isEmpty ? parser.tree.entries() : nil
    }

    private mutating func document() throws(TOMLFault) {
        try checkEncoding()
        var section = Section(table: 0, number: 0)
        while true {
            try cursor.skipLines()
            guard cursor.next != nil else { return }
            let line = cursor.line
            if cursor.take("[[") {
                section = newSection(try tree.element(try header(closing: "]]"), line: line))
            } else if cursor.take("[") {
                section = newSection(try tree.table(try header(closing: "]"), line: line))
            } else {
                try value(into: try keyAndEquals(in: section))
            }
            try cursor.endLine()
        }
    }

    private func checkEncoding() throws(TOMLFault) {
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = cursor.bytes.makeIterator()
        var line = 1
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let scalar): if scalar.first == UInt8(ascii: "\n") { line += 1 }
            case .emptyInput: return
            case .error: throw TOMLFault(line: line, message: "not UTF-8; save the file as UTF-8")
            }
        }
    }

    private mutating func newSection(_ table: Int) -> Section {
        sections += 1
        return Section(table: table, number: sections)
    }

    private mutating func header(closing bracket: String) throws(TOMLFault) -> [String] {
        let key = try key()
        guard cursor.take(bracket) else { throw cursor.fault("a table's name without \(bracket); close it") }
        return key
    }

    private mutating func keyAndEquals(in section: Section) throws(TOMLFault) -> Int {
        let line = cursor.line
        let key = try key()
        guard cursor.take("=") else { throw cursor.fault("a key without =; write KEY = VALUE") }
        return try tree.leaf(key, in: section.table, section: section.number, line: line)
    }

    /// The parts between a key's dots.
    private mutating func key() throws(TOMLFault) -> [String] {
        var parts: [String] = []
        repeat {
            cursor.skipSpaces()
            guard parts.count < TOMLTree.deepest else {
                throw cursor.fault("nested more than \(TOMLTree.deepest) deep; no setting is")
            }
            parts.append(try keyPart())
            cursor.skipSpaces()
        } while cursor.take(".")
        return parts
    }

    private mutating func keyPart() throws(TOMLFault) -> String {
        if cursor.take("\"\"\"") || cursor.take("'''") {
            throw cursor.fault("a key in three quotation marks; use one")
        }
        if nextIsText { return try cursor.text() }
        let part = cursor.take { $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        guard !part.isEmpty else {
            throw cursor.fault("a key is missing; write it in letters, digits, - and _, or in quotation marks")
        }
        return String(decoding: part, as: UTF8.self)
    }

    private var nextIsText: Bool { cursor.next == UInt8(ascii: "\"") || cursor.next == UInt8(ascii: "'") }

    /// Reads a value with all that is in it. Arrays and tables within each other wait on a stack of our own.
    private mutating func value(into first: Int) throws(TOMLFault) {
        var place = first
        var open: [Container] = []
        while true {
            cursor.skipSpaces()
            let line = cursor.line
            var isEmpty = false
            if cursor.take("[") {
                tree.makeArray(place)
                open.append(.array(place))
                isEmpty = true
            } else if cursor.take("{") {
                tree.makeInlineTable(place)
                open.append(.inlineTable(newSection(place), line: line))
                isEmpty = true
            } else if nextIsText {
                tree.set(place, to: .text(try cursor.text()))
            } else {
                tree.set(place, to: try cursor.scalar())
            }
            guard let next = try nextPlace(&open, isEmpty: isEmpty) else { return }
            place = next
        }
    }

    /// Closes what ends here; then the place of the next value in what does not, if anything is left open.
    private mutating func nextPlace(_ open: inout [Container], isEmpty: Bool) throws(TOMLFault) -> Int? {
        var isEmpty = isEmpty
        while let container = open.last {
            let next =
                switch container {
                case .array(let array): try nextElement(of: array, isEmpty: isEmpty)
                case .inlineTable(let section, let line): try nextKey(in: section, line: line, isEmpty: isEmpty)
                }
            if let next { return next }
            open.removeLast()
            isEmpty = false
        }
        return nil
    }

    private mutating func nextElement(of array: Int, isEmpty: Bool) throws(TOMLFault) -> Int? {
        try cursor.skipLines()
        if !isEmpty, cursor.next != UInt8(ascii: "]") {
            guard cursor.take(",") else { throw unclosed("an array", "]", line: tree.line(of: array)) }
            try cursor.skipLines()
        }
        if cursor.take("]") { return nil }
        guard cursor.next != nil else { throw unclosed("an array", "]", line: tree.line(of: array)) }
        return try tree.append(to: array, line: cursor.line)
    }

    private mutating func nextKey(in section: Section, line: Int, isEmpty: Bool) throws(TOMLFault) -> Int? {
        cursor.skipSpaces()
        if cursor.take("}") { return nil }
        if !isEmpty {
            guard cursor.take(",") else { throw unclosed("an inline table", "}", line: line) }
            cursor.skipSpaces()
        }
        guard let byte = cursor.next, !byte.isControl else { throw unclosed("an inline table", "}", line: line) }
        return try keyAndEquals(in: section)
    }

    private func unclosed(_ what: String, _ bracket: String, line: Int) -> TOMLFault {
        let place = line == cursor.line ? "" : " before line \(cursor.line)"
        return TOMLFault(line: line, message: "\(what) without a comma or \(bracket)\(place); add it")
    }
}
