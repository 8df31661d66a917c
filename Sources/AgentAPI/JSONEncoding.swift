/// Writes `Encodable` values as JSON with their members sorted by name. The agent stays in memory all day, and Foundation's
/// encoder would bring all of Foundation along.
struct JSONEncoding: Encoder {
    /// What one value has become: a text, or parts that are still being added.
    final class Node {
        enum Content {
            case text([UInt8])
            case object([String: Node])
            case array([Node])
        }
        var content = Content.text(Array("null".utf8))

        func append(to bytes: inout [UInt8]) {
            switch content {
            case .text(let text): bytes += text
            case .object(let members):
                bytes.append(UInt8(ascii: "{"))
                for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                    if index > 0 { bytes.append(UInt8(ascii: ",")) }
                    JSONText.appendString(member.key, to: &bytes)
                    bytes.append(UInt8(ascii: ":"))
                    member.value.append(to: &bytes)
                }
                bytes.append(UInt8(ascii: "}"))
            case .array(let elements):
                bytes.append(UInt8(ascii: "["))
                for (index, element) in elements.enumerated() {
                    if index > 0 { bytes.append(UInt8(ascii: ",")) }
                    element.append(to: &bytes)
                }
                bytes.append(UInt8(ascii: "]"))
            }
        }

        /// Texts and whole numbers need no container of their own.
        func encode(_ value: some Encodable, at path: [any CodingKey]) throws {
            switch value {
            case let text as String:
                var bytes: [UInt8] = []
                JSONText.appendString(text, to: &bytes)
                content = .text(bytes)
            case let flag as Bool: content = .text(Array((flag ? "true" : "false").utf8))
            case let number as any BinaryInteger: content = .text(Array(String(number).utf8))
            case is Double, is Float:
                throw EncodingError.invalidValue(
                    value, EncodingError.Context(codingPath: path, debugDescription: "no message has fractions"))
            default: try value.encode(to: JSONEncoding(node: self, codingPath: path))
            }
        }

        func member(_ name: String) -> Node {
            let node = Node()
            guard case .object(var members) = content else { return node }
            content = .text([])  // one owner, so that nothing is copied
            members[name] = node
            content = .object(members)
            return node
        }

        func element() -> Node {
            let node = Node()
            guard case .array(var elements) = content else { return node }
            content = .text([])
            elements.append(node)
            content = .array(elements)
            return node
        }
    }

    let node: Node
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = node.content {} else { node.content = .object([:]) }
        return KeyedEncodingContainer(Members(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = node.content {} else { node.content = .array([]) }
        return Elements(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: node, codingPath: codingPath) }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: JSONEncoding.Node
    let codingPath: [any CodingKey]

    func encodeNil(forKey key: Key) { _ = node.member(key.stringValue) }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        try node.member(key.stringValue).encode(value, at: codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        nested(key.stringValue).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        nested(key.stringValue).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { nested("super") }

    func superEncoder(forKey key: Key) -> any Encoder { nested(key.stringValue) }

    private func nested(_ name: String) -> JSONEncoding {
        JSONEncoding(node: node.member(name), codingPath: codingPath)
    }
}

private struct Elements: UnkeyedEncodingContainer {
    let node: JSONEncoding.Node
    let codingPath: [any CodingKey]

    var count: Int { if case .array(let elements) = node.content { elements.count } else { 0 } }

    func encodeNil() { _ = node.element() }

    func encode(_ value: some Encodable) throws { try node.element().encode(value, at: codingPath) }

    func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        superEncoder().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { superEncoder().unkeyedContainer() }

    func superEncoder() -> any Encoder { JSONEncoding(node: node.element(), codingPath: codingPath) }
}

private struct Single: SingleValueEncodingContainer {
    let node: JSONEncoding.Node
    let codingPath: [any CodingKey]

    func encodeNil() { node.content = .text(Array("null".utf8)) }

    func encode(_ value: some Encodable) throws { try node.encode(value, at: codingPath) }
}
