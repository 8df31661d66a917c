import Encodings

/// Why a text is not the TOML that a configuration is written in.
package struct TOMLFault: Error {
    /// Counted from 1.
    package let line: Int
    /// What is wrong; what to do. It repeats keys, never values: one of them may be a PIN in the wrong place.
    package let message: String
}

/// A place in a text, its line, and the parts of TOML without other values in them.
struct TOMLCursor {
    private let bytes: [UInt8]
    private var position: Int
    private(set) var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    func checkEncoding() throws(TOMLFault) {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            let line = 1 + bytes[..<error.byteOffsets.lowerBound].count { $0 == UInt8(ascii: "\n") }
            throw TOMLFault(line: line, message: "not UTF-8; save the file as UTF-8")
        }
    }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    func fault(_ message: String) -> TOMLFault { TOMLFault(line: line, message: message) }

    private mutating func advance() {
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
}

// MARK: - Blanks, comments and line ends

extension TOMLCursor {
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
    private mutating func takeLineEnd() -> Bool { take("\n") || take("\r\n") }

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

// MARK: - Integers and booleans (TOML 1.0.0, "Integer" and "Boolean")

extension TOMLCursor {
    /// The value that begins here and is neither text, array nor table.
    mutating func scalar() throws(TOMLFault) -> TOMLNode.Value {
        let token = take { !$0.isControl && !" \t,]}#".utf8.contains($0) }
        if token.isEmpty { throw fault("a value is missing; give one, or remove the key") }
        if token.elementsEqual("true".utf8) { return .boolean(true) }
        if token.elementsEqual("false".utf8) { return .boolean(false) }
        if let integer = try integer(token) { return .integer(integer) }
        throw fault("a value that no setting takes; give text in quotation marks, an integer, true or false")
    }

    /// Nil for what is no integer.
    private func integer(_ token: ArraySlice<UInt8>) throws(TOMLFault) -> Int? {
        let hasSign = token.first == UInt8(ascii: "+") || token.first == UInt8(ascii: "-")
        let unsigned = hasSign ? token.dropFirst() : token
        let (prefix, radix) = Self.prefixes.first { unsigned.starts(with: $0.text.utf8) } ?? ("", 10)
        let digits = unsigned.dropFirst(prefix.utf8.count)
        if hasSign && radix != 10 { return nil }
        if radix == 10, digits.count > 1, digits.first == UInt8(ascii: "0") { return nil }
        let groups = digits.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        let isDigit = { (byte: UInt8) in byte.hexadecimalDigit.map { $0 < radix } ?? false }
        guard groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }) else { return nil }
        let sign = token.first == UInt8(ascii: "-") ? "-" : ""
        guard let integer = Int(sign + String(decoding: groups.joined(), as: UTF8.self), radix: radix) else {
            throw fault("an integer that 64 bits do not hold; give a smaller one")
        }
        return integer
    }

    private static let prefixes: [(text: String, radix: Int)] = [("0x", 16), ("0o", 8), ("0b", 2)]
}

// MARK: - Text in its four forms (TOML 1.0.0, "String")

extension TOMLCursor {
    var nextIsText: Bool { next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") }

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
        while let byte = next, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            if byte == mark {
                advance()
                return String(decoding: decoded, as: UTF8.self)
            }
            try step(mark: mark, to: &decoded)
        }
        throw unclosed(start)
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
            position += run.count
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
        guard let byte = next, let meaning = Self.escapes[byte] else {
            throw fault("an escape that TOML does not have; write \\\\ for a backslash, or use single quotation marks")
        }
        advance()
        return [meaning]
    }

    private mutating func scalar(digits count: Int) throws(TOMLFault) -> [UInt8] {
        let digits = bytes[position...].prefix(count).prefix { $0.hexadecimalDigit != nil }
        guard digits.count == count, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(value)
        else { throw fault("an escape that is no character; write \\u and 4 hexadecimal digits, or \\U and 8") }
        // Sooner or later C would end the text there.
        guard value != 0 else { throw fault("a NUL character in text; remove it") }
        position += count
        return Array(String(scalar).utf8)
    }
}
