/// What messages are made of: it is read as it was written.
package protocol WireValue {
    /// The most that a list holds: in memory they are larger than on the wire.
    static var mostInList: Int { get }

    init(from reader: inout WireReader) throws(WireError)
    func write(to writer: inout WireWriter)

    static func list(of count: Int, from reader: inout WireReader) throws(WireError) -> [Self]
    static func write(_ values: [Self], to writer: inout WireWriter)
}

extension WireValue {
    package static var mostInList: Int { 16_384 }

    package static func list(of count: Int, from reader: inout WireReader) throws(WireError) -> [Self] {
        var values: [Self] = []
        for _ in 0..<count { values.append(try Self(from: &reader)) }
        return values
    }

    package static func write(_ values: [Self], to writer: inout WireWriter) {
        for value in values { value.write(to: &writer) }
    }
}

package struct WireWriter {
    package fileprivate(set) var bytes: [UInt8]

    /// - Parameter room: For this many bytes at once.
    package init(room: Int = 0) {
        bytes = []
        bytes.reserveCapacity(room)
    }

    package mutating func add<each Value: WireValue>(_ values: repeat each Value) {
        repeat (each values).write(to: &self)
    }
}

/// Every length is checked against what is there before anything is allocated.
package struct WireReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package mutating func value<Value: WireValue>() throws(WireError) -> Value { try Value(from: &self) }

    /// - Parameter limit: Above this many elements it is no honest value.
    package mutating func list<Value: WireValue>(upTo limit: Int = Value.mostInList) throws(WireError) -> [Value] {
        let count: UInt32 = try value()
        guard count <= bytes.count - position else { throw .truncated }
        guard count <= limit else { throw .tooLong }
        return try Value.list(of: Int(count), from: &self)
    }

    package func end() throws(WireError) {
        guard position == bytes.count else { throw .trailingBytes }
    }

    fileprivate mutating func take(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw .truncated }
        defer { position += count }
        return bytes[position..<position + count]
    }
}

/// Big-endian.
extension WireValue where Self: FixedWidthInteger {
    package init(from reader: inout WireReader) throws(WireError) {
        self = try reader.take(Self.bitWidth / 8).reduce(0) { $0 << 8 | Self($1) }
    }

    package func write(to writer: inout WireWriter) {
        for shift in stride(from: bitWidth - 8, through: 0, by: -8) {
            writer.bytes.append(UInt8(truncatingIfNeeded: self >> shift))
        }
    }
}

extension UInt16: WireValue {}
extension UInt32: WireValue {}
extension UInt64: WireValue {}
extension UInt8: WireValue {
    package static var mostInList: Int { .max }

    package static func list(of count: Int, from reader: inout WireReader) throws(WireError) -> [UInt8] {
        Array(try reader.take(count))
    }

    package static func write(_ values: [UInt8], to writer: inout WireWriter) { writer.bytes += values }
}

extension Bool: WireValue {
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.value() as UInt8 {
        case 0: self = false
        case 1: self = true
        default: throw .badValue
        }
    }

    package func write(to writer: inout WireWriter) { writer.bytes.append(self ? 1 : 0) }
}

/// At most 16 KiB, which no path or message of ours comes near.
extension String: WireValue {
    package init(from reader: inout WireReader) throws(WireError) {
        guard let text = String(validating: try reader.list(upTo: 16_384), as: UTF8.self) else { throw .badValue }
        self = text
    }

    package func write(to writer: inout WireWriter) { writer.add(Array(utf8)) }
}

/// The count, and the elements.
extension Array: WireValue where Element: WireValue {
    package init(from reader: inout WireReader) throws(WireError) { self = try reader.list() }

    package func write(to writer: inout WireWriter) {
        writer.add(UInt32(clamping: count))
        Element.write(self, to: &writer)
    }
}

/// A list of one or none.
extension Optional: WireValue where Wrapped: WireValue {
    package init(from reader: inout WireReader) throws(WireError) {
        let values: [Wrapped] = try reader.list(upTo: 1)
        self = values.first
    }

    package func write(to writer: inout WireWriter) { writer.add(map { [$0] } ?? []) }
}

/// The code of a case.
extension WireValue where Self: RawRepresentable<UInt8> {
    package init(from reader: inout WireReader) throws(WireError) {
        guard let value = Self(rawValue: try reader.value()) else { throw .badValue }
        self = value
    }

    package func write(to writer: inout WireWriter) { writer.add(rawValue) }
}
