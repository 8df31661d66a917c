import Encodings

/// Reads one JSON object whose members are all strings, without copying any of them (RFC 8259).
///
/// For bodies with a PIN: the text of a member goes straight from the request's bytes to where it shall stay.
struct JSONStringMembers {
    /// Why the bytes are no such object. It never quotes them.
    enum Fault: String, Error {
        case notUTF8 = "the body is not UTF-8"
        case notAnObject = "the body is not one JSON object"
        case badString = "a string in the body is malformed"
        case notAString = "a member of the body is not a string"
        case unknownMember = "the body has a member that is not known here"
        case repeatedMember = "the body has a member twice"
    }

    /// Where the text of each member stands, without its quotes.
    private var ranges: [String: Range<Int>] = [:]

    /// - Parameter names: The members that may be there, each at most once; any other is an error.
    init(_ json: Span<UInt8>, names: [String]) throws(Fault) {
        do { _ = try UTF8Span(validating: json) } catch { throw .notUTF8 }
        var cursor = JSONCursor()
        guard cursor.take("{", in: json) else { throw .notAnObject }
        while !cursor.take("}", in: json) {
            guard ranges.isEmpty || cursor.take(",", in: json) else { throw .notAnObject }
            guard let name = try cursor.takeString(in: json), cursor.take(":", in: json) else { throw .notAnObject }
            let text = json.extracting(name).text
            guard names.contains(text) else { throw .unknownMember }
            guard ranges[text] == nil else { throw .repeatedMember }
            guard let value = try cursor.takeString(in: json) else { throw .notAString }
            ranges[text] = value
        }
        guard cursor.isAtEnd(of: json) else { throw .notAnObject }
    }

    func contains(_ name: String) -> Bool { ranges[name] != nil }

    /// Hands out the bytes of a member, escapes resolved; none when it is not there.
    ///
    /// - Parameter json: The bytes that `init` got.
    func forEachByte<Failure: Error>(
        of name: String, in json: Span<UInt8>, _ body: (UInt8) throws(Failure) -> Void
    ) throws(Failure) {
        guard let range = ranges[name] else { return }
        var position = range.lowerBound
        while position < range.upperBound, let character = JSONCharacter(json, at: position) {
            position += character.length
            switch character.value {
            case .byte(let byte): try body(byte)
            case .escaped(let scalar): for byte in String(scalar).utf8 { try body(byte) }
            }
        }
    }
}

/// A place in a JSON text.
private struct JSONCursor {
    private var position = 0

    /// Skips white space, then the punctuation mark if it is there.
    mutating func take(_ mark: Unicode.Scalar, in json: Span<UInt8>) -> Bool {
        guard !isAtEnd(of: json), json[position] == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }

    /// Skips white space, then a string if there is one; its text's range, without the quotes.
    mutating func takeString(in json: Span<UInt8>) throws(JSONStringMembers.Fault) -> Range<Int>? {
        guard take("\"", in: json) else { return nil }
        let start = position
        while position < json.count, json[position] != UInt8(ascii: "\"") {
            guard let character = JSONCharacter(json, at: position) else { throw .badString }
            position += character.length
        }
        guard position < json.count else { throw .badString }
        position += 1
        return start..<position - 1
    }

    /// Skips white space; whether nothing is left.
    mutating func isAtEnd(of json: Span<UInt8>) -> Bool {
        while position < json.count, [0x20, 0x09, 0x0A, 0x0D].contains(json[position]) { position += 1 }
        return position == json.count
    }
}

/// A byte, or an escape, of a JSON string (RFC 8259 §7).
private struct JSONCharacter {
    enum Value {
        case byte(UInt8)
        case escaped(Unicode.Scalar)
    }
    let value: Value
    let length: Int

    /// Nil where no character of a string can stand: a control character, an unknown escape, half a surrogate pair.
    init?(_ json: Span<UInt8>, at position: Int) {
        guard json[position] >= 0x20 else { return nil }
        guard json[position] == UInt8(ascii: "\\") else {
            (value, length) = (.byte(json[position]), 1)
            return
        }
        guard position + 1 < json.count else { return nil }
        let simple: Unicode.Scalar? =
            switch json[position + 1] {
            case UInt8(ascii: "\""): "\""
            case UInt8(ascii: "\\"): "\\"
            case UInt8(ascii: "/"): "/"
            case UInt8(ascii: "b"): "\u{8}"
            case UInt8(ascii: "f"): "\u{C}"
            case UInt8(ascii: "n"): "\n"
            case UInt8(ascii: "r"): "\r"
            case UInt8(ascii: "t"): "\t"
            default: nil
            }
        if let simple {
            (value, length) = (.escaped(simple), 2)
            return
        }
        guard let first = Self.codeUnit(json, at: position) else { return nil }
        if let scalar = Unicode.Scalar(first) {
            (value, length) = (.escaped(scalar), 6)
            return
        }
        guard UTF16.isLeadSurrogate(first), let second = Self.codeUnit(json, at: position + 6),
            UTF16.isTrailSurrogate(second)
        else { return nil }
        (value, length) = (.escaped(UTF16.decode(UTF16.EncodedScalar([first, second]))), 12)
    }

    /// The value of `\uXXXX` at this position.
    private static func codeUnit(_ json: Span<UInt8>, at position: Int) -> UInt16? {
        guard position + 6 <= json.count, json[position] == UInt8(ascii: "\\"),
            json[position + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for index in position + 2..<position + 6 {
            guard let digit = json[index].hexadecimalDigit else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
