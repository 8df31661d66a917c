import PlainText

// What settings are made of. Each takes the value, or says what to write instead.
extension TOMLNode {
    /// Text that is not empty, fits on one line, and holds no PIN.
    func text(limit: Int = 4096) throws(Complaint) -> String {
        guard case .text(let text) = value else { throw Complaint(" is \(kind); give a string") }
        guard !text.isEmpty else { throw Complaint(" is empty; give a value, or remove the key") }
        guard text.utf8.count <= limit else {
            throw Complaint(" has \(text.utf8.count) bytes; give at most \(limit)")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw Complaint(" holds a control character; remove it")
        }
        // Before any other fault is told of: a message must not repeat a PIN.
        guard !text.lowercased().contains("pin-value") else {
            throw Complaint(
                " holds a pin-value, which is refused because whoever reads the file learns the PIN; "
                    + "use pin-source in [[token]], or run 'tokenward unlock'")
        }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(Complaint) -> Int {
        guard case .integer(let integer) = value else { throw Complaint(" is \(kind); give an integer") }
        guard range.contains(integer) else {
            throw Complaint(" is \(integer); give \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func boolean() throws(Complaint) -> Bool {
        guard case .boolean(let boolean) = value else { throw Complaint(" is \(kind); give true or false") }
        return boolean
    }

    func absolutePath() throws(Complaint) -> String {
        try Self.absolutePath(try text())
    }

    static func absolutePath(_ path: String) throws(Complaint) -> String {
        guard path.hasPrefix("/") else {
            throw Complaint(" is \(path.quoted), which is relative; give an absolute path, from / on")
        }
        guard path.utf8.last != UInt8(ascii: "/") else {
            throw Complaint(" is \(path.quoted), which is a directory; give a file")
        }
        return path
    }

    func elements() throws(Complaint) -> [TOMLNode] {
        guard case .array(let elements) = value else { throw Complaint(" is \(kind); give an array") }
        return elements
    }

    func entries() throws(Complaint) -> [String: TOMLNode] {
        guard case .table(let entries) = value else { throw Complaint(" is \(kind); give a table") }
        return entries
    }
}
