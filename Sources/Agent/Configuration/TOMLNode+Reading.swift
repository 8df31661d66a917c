import PlainText

// The types of settings. Each function takes the value, or throws what to write instead.
extension TOMLNode {
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
        // Before any other fault is told of: a message must not repeat a PIN.
        guard !text.lowercased().contains("pin-value") else {
            throw ValueFault(
                " holds a pin-value, which is refused because whoever reads the file learns the PIN; "
                    + "use pin-source in [[token]], or run 'tokenward unlock'")
        }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(ValueFault) -> Int {
        guard case .integer(let integer) = value else { throw ValueFault(" is \(kind); give an integer") }
        guard range.contains(integer) else {
            throw ValueFault(" is \(integer); give \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func boolean() throws(ValueFault) -> Bool {
        guard case .boolean(let boolean) = value else { throw ValueFault(" is \(kind); give true or false") }
        return boolean
    }

    func absolutePath() throws(ValueFault) -> String {
        try Self.absolutePath(try text())
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

    func elements() throws(ValueFault) -> [TOMLNode] {
        guard case .array(let elements) = value else { throw ValueFault(" is \(kind); give an array") }
        return elements
    }

    func entries() throws(ValueFault) -> [String: TOMLNode] {
        guard case .table(let entries) = value else { throw ValueFault(" is \(kind); give a table") }
        return entries
    }
}
