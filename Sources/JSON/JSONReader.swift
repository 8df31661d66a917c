#if !hasFeature(Embedded)
    import Encodings
#endif

/// Walks once over a JSON text (RFC 8259), checks all of it, and copies nothing.
///
/// It tells where strings and numbers stand; `JSONString` gives a string's bytes one by one, so that a PIN can go from the
/// request to its locked page. Nesting lives in an array that `JSONLimits` bounds, not on the stack.
///
///     var reader = JSONReader()
///     while let event = try reader.next(in: bytes) { … }
package struct JSONReader {
    package enum Event: Equatable, Sendable {
        /// An object begins. Until its `end` each member gives a `name`, and then what its value gives.
        case object
        /// An array begins. Until its `end` come its values.
        case array
        /// The innermost object or array ends.
        case end
        /// Without the quotes, as `string`.
        case name(Range<Int>)
        case string(Range<Int>)
        /// As RFC 8259 §6 writes numbers, of any size.
        case number(Range<Int>)
        case boolean(Bool)
        case null
    }

    private enum Place {
        case start, value, openedContainer, behindValue
    }

    private struct Container {
        let isObject: Bool
        /// Where its own begin in `names`.
        let firstName: Int
    }

    private let limits: JSONLimits
    private var place = Place.start
    private var index = 0
    private var containers: [Container] = []
    /// The names in all objects that are open.
    private var names: [Range<Int>] = []
    private var valueCount = 0

    package init(limits: JSONLimits = JSONLimits()) { self.limits = limits }

    /// Checks that `bytes` are one JSON text and nothing more.
    package static func check(_ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONFault) {
        var reader = JSONReader(limits: limits)
        while try reader.next(in: bytes) != nil {}
    }

    /// The next event; nil behind a whole text.
    ///
    /// - Parameter bytes: The same at each call.
    package mutating func next(in bytes: Span<UInt8>) throws(JSONFault) -> Event? {
        if place == .start {
            guard bytes.count <= limits.bytes else { throw JSONFault(.tooMuch, at: limits.bytes) }
            do throws(UTF8.ValidationError) {
                _ = try UTF8Span(validating: bytes)
            } catch {
                throw JSONFault(.notUTF8, at: error.byteOffsets.lowerBound)
            }
            place = .value
        }
        skipSpace(bytes)
        if place == .value { return try value(bytes) }
        guard let container = containers.last else {
            guard index == bytes.count else { throw fault(.unexpected) }
            return nil
        }
        if take(container.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), bytes) {
            containers.removeLast()
            names.removeLast(names.count - container.firstName)
            place = .behindValue
            return .end
        }
        if place == .behindValue {
            guard take(UInt8(ascii: ","), bytes) else { throw fault(.unexpected) }
            skipSpace(bytes)
        }
        return container.isObject ? .name(try name(bytes, of: container)) : try value(bytes)
    }

    private func fault(_ reason: JSONFault.Reason) -> JSONFault { JSONFault(reason, at: index) }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): index += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func value(_ bytes: Span<UInt8>) throws(JSONFault) -> Event {
        guard index < bytes.count else { throw fault(.unexpected) }
        valueCount += 1
        guard valueCount <= limits.values else { throw fault(.tooMuch) }
        place = .behindValue
        switch bytes[index] {
        case UInt8(ascii: "{"): return try open(.object)
        case UInt8(ascii: "["): return try open(.array)
        case UInt8(ascii: "\""): return .string(try string(bytes))
        case UInt8(ascii: "t"): return try word("true", .boolean(true), bytes)
        case UInt8(ascii: "f"): return try word("false", .boolean(false), bytes)
        case UInt8(ascii: "n"): return try word("null", .null, bytes)
        default: return .number(try number(bytes))
        }
    }

    private mutating func open(_ event: Event) throws(JSONFault) -> Event {
        guard containers.count < limits.depth else { throw fault(.tooMuch) }
        containers.append(Container(isObject: event == .object, firstName: names.count))
        index += 1
        place = .openedContainer
        return event
    }

    /// A member's name, and the colon behind it.
    private mutating func name(_ bytes: Span<UInt8>, of object: Container) throws(JSONFault) -> Range<Int> {
        let start = index
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw fault(.unexpected) }
        let name = try string(bytes)
        guard names.count - object.firstName < limits.members else { throw JSONFault(.tooMuch, at: start) }
        for known in object.firstName..<names.count where JSONString.areEqual(names[known], name, in: bytes) {
            throw JSONFault(.repeatedName, at: start)
        }
        names.append(name)
        skipSpace(bytes)
        guard take(UInt8(ascii: ":"), bytes) else { throw fault(.unexpected) }
        place = .value
        return name
    }

    private mutating func word(_ word: StaticString, _ event: Event, _ bytes: Span<UInt8>) throws(JSONFault) -> Event {
        for offset in 0..<word.utf8CodeUnitCount {
            guard index < bytes.count, unsafe bytes[index] == word.utf8Start[offset] else { throw fault(.unexpected) }
            index += 1
        }
        return event
    }

    /// Where the string stands that begins here, without its quotes.
    private mutating func string(_ bytes: Span<UInt8>) throws(JSONFault) -> Range<Int> {
        let start = index + 1
        index = start
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return start..<index - 1
            case UInt8(ascii: "\\"):
                guard let escape = JSONEscape(bytes, at: index) else { throw fault(.badString) }
                index += escape.length
            case 0..<0x20: throw fault(.badString)
            default: index += 1
            }
        }
        throw fault(.badString)
    }

    private mutating func number(_ bytes: Span<UInt8>) throws(JSONFault) -> Range<Int> {
        let start = index
        _ = take(UInt8(ascii: "-"), bytes)
        if !take(UInt8(ascii: "0"), bytes) { try digits(bytes) }
        if take(UInt8(ascii: "."), bytes) { try digits(bytes) }
        if take(UInt8(ascii: "e"), bytes) || take(UInt8(ascii: "E"), bytes) {
            if !take(UInt8(ascii: "+"), bytes) { _ = take(UInt8(ascii: "-"), bytes) }
            try digits(bytes)
        }
        return start..<index
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(JSONFault) {
        let start = index
        while index < bytes.count, bytes[index].isDigit { index += 1 }
        guard index > start else { throw fault(.unexpected) }
    }
}
