// The thin client has no use for it: to compare strings, Embedded Swift would link Unicode's tables.
#if !hasFeature(Embedded)
    /// A JSON text as a tree. Not for secrets: its strings are ordinary memory.
    package indirect enum JSONValue: Equatable, Sendable {
        case null
        case boolean(Bool)
        /// As it is written.
        case number(String)
        case string(String)
        case array([JSONValue])
        /// In the order of the text; no name comes twice.
        case object([Member])

        package struct Member: Equatable, Sendable {
            package let name: String
            package let value: JSONValue

            package init(_ name: String, _ value: JSONValue) {
                self.name = name
                self.value = value
            }
        }

        package init(_ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONFault) {
            var reader = JSONReader(limits: limits)
            var open = [Unfinished()]
            while let event = try reader.next(in: bytes) {
                switch event {
                case .object: open.append(Unfinished(isObject: true))
                case .array: open.append(Unfinished())
                case .end: if let whole = open.popLast()?.value { open[open.count - 1].add(whole) }
                case .name(let range): open[open.count - 1].name = Self.text(range, bytes)
                case .string(let range): open[open.count - 1].add(.string(Self.text(range, bytes)))
                case .number(let range): open[open.count - 1].add(.number(Self.text(range, bytes)))
                case .boolean(let flag): open[open.count - 1].add(.boolean(flag))
                case .null: open[open.count - 1].add(.null)
                }
            }
            self = open[0].elements[0]
        }

        private static func text(_ range: Range<Int>, _ bytes: Span<UInt8>) -> String {
            String(decoding: JSONString.decode(range, in: bytes), as: UTF8.self)
        }

        /// An array or an object whose end has not come.
        private struct Unfinished {
            var isObject = false
            var name = ""
            var elements: [JSONValue] = []
            var members: [Member] = []

            mutating func add(_ value: JSONValue) {
                if isObject { members.append(Member(name, value)) } else { elements.append(value) }
            }

            var value: JSONValue { isObject ? .object(members) : .array(elements) }
        }

        package subscript(name: String) -> JSONValue? {
            guard case .object(let members) = self else { return nil }
            return members.first { $0.name == name }?.value
        }

        package var text: String? {
            guard case .string(let text) = self else { return nil }
            return text
        }
    }
#endif
