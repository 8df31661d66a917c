/// Where the members of an object stand whose text is nothing else. Nothing of it is copied.
package struct JSONMembers {
    /// Of an object or an array only that it begins.
    package private(set) var all: [(name: Range<Int>, value: JSONReader.Event)] = []

    /// - Throws: `.otherValue` at 0 for a text that is no object.
    package init(_ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONFault) {
        var reader = JSONReader(limits: limits)
        var isObject = false
        var depth = 0
        var name: Range<Int>?
        while let event = try reader.next(in: bytes) {
            if depth == 1, let name { all.append((name, event)) }
            name = nil
            switch event {
            case .name(let range): name = range
            case .object, .array:
                if depth == 0 { isObject = event == .object }
                depth += 1
            case .end: depth -= 1
            default: break
            }
        }
        guard isObject else { throw JSONFault(.otherValue, at: 0) }
    }

    /// - Parameter bytes: The text that `init` got.
    package func value(_ name: StaticString, in bytes: Span<UInt8>) -> JSONReader.Event? {
        for member in all where JSONString.isEqual(member.name, to: name, in: bytes) { return member.value }
        return nil
    }

    /// The string that a member is, if it is one. Not for secrets: it is ordinary memory.
    package func text(_ name: StaticString, in bytes: Span<UInt8>) -> String? {
        guard case .string(let range)? = value(name, in: bytes) else { return nil }
        return String(decoding: JSONString.decode(range, in: bytes), as: UTF8.self)
    }
}
