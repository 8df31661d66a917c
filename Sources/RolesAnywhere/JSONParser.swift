import Encodings

/// A strict JSON reader for short answers of a service that need not be the one we think.
///
/// Two readers of one answer must not see two things: a name that comes twice is an error, as are more than 16 levels
/// and more than 1000 values. Nesting lives in an array, not on the stack.
struct JSONParser {
    private enum Container {
        case array([JSONValue])
        case object([String: JSONValue], name: String)
    }

    private let bytes: [UInt8]
    private var position = 0
    private var containers: [Container] = []
    private var valueCount = 0

    static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        return try parser.document()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func document() throws(JSONError) -> JSONValue {
        while true {
            guard let value = try opened(), let whole = try closed(after: value) else { continue }
            guard position == bytes.count else { throw error("something follows the value") }
            return whole
        }
    }

    /// Reads a value's beginning: the value, if that is all of it; `nil` if a container has been opened.
    private mutating func opened() throws(JSONError) -> JSONValue? {
        valueCount += 1
        guard valueCount <= 1000, containers.count <= 16 else { throw error("too many values or levels") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"):
            position += 1
            if take("}") { return .object([:]) }
            containers.append(.object([:], name: try name()))
            return nil
        case UInt8(ascii: "["):
            position += 1
            if take("]") { return .array([]) }
            containers.append(.array([]))
            return nil
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return .number(try number())
        }
    }

    /// Puts a value into its container, and that one into its own while containers end: the outermost value, or `nil`
    /// if another is to come.
    private mutating func closed(after value: JSONValue) throws(JSONError) -> JSONValue? {
        var value = value
        while let container = containers.popLast() {
            switch container {
            case .array(var items):
                items.append(value)
                if take(",") {
                    containers.append(.array(items))
                    return nil
                }
                guard take("]") else { throw error("expected , or ]") }
                value = .array(items)
            case .object(var members, let name):
                guard members.updateValue(value, forKey: name) == nil else { throw error("a name comes twice") }
                if take(",") {
                    containers.append(.object(members, name: try self.name()))
                    return nil
                }
                guard take("}") else { throw error("expected , or }") }
                value = .object(members)
            }
        }
        skipSpace()
        return value
    }

    private mutating func name() throws(JSONError) -> String {
        skipSpace()
        let name = try string()
        guard take(":") else { throw error("expected :") }
        return name
    }

    private mutating func literal(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw error("expected a value") }
        position += word.utf8.count
        return value
    }

    private mutating func number() throws(JSONError) -> String {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        let whole = digits()
        guard whole.count == 1 || whole.count > 1 && bytes[whole.lowerBound] != UInt8(ascii: "0") else {
            throw error("expected a value")
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            guard !digits().isEmpty else { throw error("expected digits") }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            guard !digits().isEmpty else { throw error("expected digits") }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() -> Range<Int> {
        let start = position
        while let byte = peek, byte.isDigit { position += 1 }
        return start..<position
    }

    private mutating func string() throws(JSONError) -> String {
        let start = position
        do throws(JSONStringError) {
            let (text, end) = try JSONString.read(bytes, at: start)
            position = end
            return text
        } catch {
            throw JSONError(reason: error.reason, offset: start)
        }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: position) }
}
