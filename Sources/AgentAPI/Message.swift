package import JSON

/// A message of the socket: an object whose members are told once, for writing and for reading.
///
/// An agent of another version may leave members out: they keep the value of `init()`, which is shown as what it is.
/// Members that are not known here are ignored.
package protocol Message: MessageValue {
    init()
    /// Hands each member to `coder`, in the order in which they are written.
    mutating func members(_ coder: inout MessageCoder)
}

extension Message {
    /// A message as `fill` makes it.
    package init(_ fill: (inout Self) -> Void) {
        self.init()
        fill(&self)
    }

    package init?(_ json: JSONValue) {
        guard case .object = json else { return nil }
        self.init()
        var coder = MessageCoder(reading: json)
        members(&coder)
        guard coder.isUnderstood else { return nil }
    }

    package func write(to coder: inout MessageCoder) {
        var message = self
        coder.writer.beginObject()
        message.members(&coder)
        coder.writer.endObject()
    }
}

/// What can stand in a message.
package protocol MessageValue: Hashable, Sendable {
    /// Nil where this is another kind of value.
    init?(_ json: JSONValue)
    func write(to coder: inout MessageCoder)
}

extension MessageValue {
    /// One JSON text, without a line end.
    package var json: [UInt8] {
        var coder = MessageCoder()
        write(to: &coder)
        return coder.writer.finish()
    }
}

/// Takes a message's members to a JSON text, or from one.
package struct MessageCoder {
    /// Nil for writing.
    private let source: JSONValue?
    fileprivate var writer = JSONWriter()
    /// Whether each member that was read had the kind of value that it must have.
    fileprivate private(set) var isUnderstood = true

    fileprivate init(reading source: JSONValue? = nil) { self.source = source }

    /// A member that is always written.
    package mutating func member<Value: MessageValue>(_ name: String, _ value: inout Value) {
        guard source == nil else { return read(name) { value = $0 } }
        writer.name(name)
        value.write(to: &self)
    }

    /// A member that is written where there is a value.
    package mutating func member<Value: MessageValue>(_ name: String, _ value: inout Value?) {
        guard source == nil else { return read(name) { value = $0 } }
        guard let value else { return }
        writer.name(name)
        value.write(to: &self)
    }

    private mutating func read<Value: MessageValue>(_ name: String, into use: (Value) -> Void) {
        guard let json = source?[name], json != .null else { return }
        if let value = Value(json) { use(value) } else { isUnderstood = false }
    }
}

/// A word that programs decide on. One that this version does not know is kept as it came.
package struct Word<Known: RawRepresentable & Sendable>: MessageValue where Known.RawValue == String {
    package let text: String

    package var known: Known? { Known(rawValue: text) }

    package init(_ known: Known) { text = known.rawValue }

    package init?(_ json: JSONValue) {
        guard let text = json.text else { return nil }
        self.text = text
    }

    /// Of a message that does not have it.
    package static var untold: Word { Word(text: "?") }

    private init(text: String) { self.text = text }

    package func write(to coder: inout MessageCoder) { coder.writer.string(text) }
}

extension String: MessageValue {
    package init?(_ json: JSONValue) {
        guard let text = json.text else { return nil }
        self = text
    }

    package func write(to coder: inout MessageCoder) { coder.writer.string(self) }
}

extension Bool: MessageValue {
    package init?(_ json: JSONValue) {
        guard case .boolean(let flag) = json else { return nil }
        self = flag
    }

    package func write(to coder: inout MessageCoder) { coder.writer.boolean(self) }
}

extension MessageValue where Self: FixedWidthInteger {
    package init?(_ json: JSONValue) {
        guard case .number(let text) = json else { return nil }
        self.init(text)
    }

    package func write(to coder: inout MessageCoder) { coder.writer.integer(self) }
}

extension Int: MessageValue {}
extension Int32: MessageValue {}
extension Int64: MessageValue {}
extension UInt32: MessageValue {}

extension Array: MessageValue where Element: MessageValue {
    package init?(_ json: JSONValue) {
        guard case .array(let values) = json else { return nil }
        let elements = values.compactMap { Element($0) }
        guard elements.count == values.count else { return nil }
        self = elements
    }

    package func write(to coder: inout MessageCoder) {
        coder.writer.beginArray()
        for element in self { element.write(to: &coder) }
        coder.writer.endArray()
    }
}

/// An object of strings, written in the order of their names.
extension [String: String]: MessageValue {
    package init?(_ json: JSONValue) {
        guard case .object(let members) = json else { return nil }
        self = [:]
        for member in members {
            guard let text = member.value.text else { return nil }
            self[member.name] = text
        }
    }

    package func write(to coder: inout MessageCoder) {
        coder.writer.beginObject()
        for (name, text) in sorted(by: { $0.key < $1.key }) { coder.writer.member(name, text) }
        coder.writer.endObject()
    }
}
