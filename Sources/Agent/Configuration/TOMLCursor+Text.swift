import Encodings

// Text in its four forms (TOML 1.0.0, "String").
extension TOMLCursor {
    /// The text that begins here, without quotation marks and with escapes undone.
    mutating func text() throws(TOMLFault) -> String {
        let start = line
        for mark in ["\"\"\"", "'''"] where take(mark) {
            _ = takeLineEnd()  // the first line may be empty, for looks
            return try longText(mark: mark.utf8.first, start: start)
        }
        let mark = next
        advance()
        var decoded: [UInt8] = []
        while let byte = next, byte != mark {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
            try step(mark: mark, to: &decoded)
        }
        guard next == mark else { throw unclosed(start) }
        advance()
        return String(decoding: decoded, as: UTF8.self)
    }

    private mutating func longText(mark: UInt8?, start: Int) throws(TOMLFault) -> String {
        var decoded: [UInt8] = []
        while next != nil {
            // The same value, whichever line ends the editor writes.
            if takeLineEnd() {
                decoded.append(UInt8(ascii: "\n"))
                continue
            }
            if mark == UInt8(ascii: "\""), skipContinuation() { continue }
            // Three marks end it; one or two before them belong to the text.
            let run = bytes[position...].prefix(5).prefix { $0 == mark }
            guard !run.isEmpty else {
                try step(mark: mark, to: &decoded)
                continue
            }
            for _ in run { advance() }
            if run.count >= 3 { return String(decoding: decoded + run.dropLast(3), as: UTF8.self) }
            decoded += run
        }
        throw unclosed(start)
    }

    /// Steps over a backslash that ends its line, and over all blanks and line ends after it.
    private mutating func skipContinuation() -> Bool {
        var ahead = self
        guard ahead.take("\\") else { return false }
        ahead.skipSpaces()
        guard ahead.takeLineEnd() else { return false }
        repeat { ahead.skipSpaces() } while ahead.takeLineEnd()
        self = ahead
        return true
    }

    /// One byte of the text, or one escape.
    private mutating func step(mark: UInt8?, to decoded: inout [UInt8]) throws(TOMLFault) {
        guard let byte = next, !byte.isControl else {
            throw fault("a control character in text; remove it, or write it as an escape")
        }
        advance()
        if byte == UInt8(ascii: "\\"), mark == UInt8(ascii: "\"") {
            decoded += try escape()
        } else {
            decoded.append(byte)
        }
    }

    private func unclosed(_ start: Int) -> TOMLFault {
        TOMLFault(line: start, message: "text without its closing quotation mark; add it")
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "b"): 0x08, UInt8(ascii: "t"): 0x09, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "f"): 0x0C,
        UInt8(ascii: "r"): 0x0D, UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C,
    ]

    /// The bytes of the escape whose backslash was just passed.
    private mutating func escape() throws(TOMLFault) -> [UInt8] {
        if take("u") { return try scalar(digits: 4) }
        if take("U") { return try scalar(digits: 8) }
        if let byte = next, let meaning = Self.escapes[byte] {
            advance()
            return [meaning]
        }
        throw fault("an escape that TOML does not have; write \\\\ for a backslash, or use single quotation marks")
    }

    private mutating func scalar(digits: Int) throws(TOMLFault) -> [UInt8] {
        var value: UInt32 = 0
        var count = 0
        while count < digits, let byte = next, let digit = byte.hexadecimalDigit {
            value = value << 4 | UInt32(digit)
            advance()
            count += 1
        }
        guard count == digits, let scalar = Unicode.Scalar(value) else {
            throw fault("an escape that is no character; write \\u and 4 hexadecimal digits, or \\U and 8")
        }
        // Sooner or later C would end the text there.
        guard value != 0 else { throw fault("a NUL character in text; remove it") }
        return Array(String(scalar).utf8)
    }
}
