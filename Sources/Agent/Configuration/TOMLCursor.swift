/// A place in a text, its line, and the steps that are the same everywhere in TOML.
struct TOMLCursor {
    let bytes: [UInt8]
    private(set) var position: Int
    private(set) var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    func fault(_ message: String) -> TOMLFault { TOMLFault(line: line, message: message) }

    mutating func advance() {
        guard let byte = next else { return }
        if byte == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    /// Steps over `text` if it comes next.
    mutating func take(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        for _ in text.utf8 { advance() }
        return true
    }

    /// Steps over bytes while they are as `isPart` says, and hands them out.
    mutating func take(while isPart: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while let byte = next, isPart(byte) { advance() }
        return bytes[start..<position]
    }

    mutating func skipSpaces() { _ = take { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }

    /// Steps over spaces, comments and line ends.
    mutating func skipLines() throws(TOMLFault) {
        repeat {
            skipSpaces()
            try skipComment()
        } while takeLineEnd()
    }

    /// Steps over what may follow in a line that is otherwise done.
    mutating func endLine() throws(TOMLFault) {
        skipSpaces()
        try skipComment()
        guard takeLineEnd() || next == nil else { throw fault("more than one setting in a line; begin a new line") }
    }

    /// A carriage return counts before a newline only.
    mutating func takeLineEnd() -> Bool { take("\n") || take("\r\n") }

    private mutating func skipComment() throws(TOMLFault) {
        guard take("#") else { return }
        _ = take { !$0.isControl }
        if let byte = next, byte != UInt8(ascii: "\n"), !bytes[position...].starts(with: "\r\n".utf8) {
            throw fault("a control character in a comment; remove it")
        }
    }
}

extension UInt8 {
    /// The control characters that TOML wants escaped; tabs are not.
    var isControl: Bool { self < 0x20 && self != UInt8(ascii: "\t") || self == 0x7F }
}
