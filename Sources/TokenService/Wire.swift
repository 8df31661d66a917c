/// Writes the few shapes that messages are made of.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }
    mutating func flag(_ value: Bool) { byte(value ? 1 : 0) }
    mutating func number16(_ value: UInt16) { append(value) }
    mutating func number32(_ value: UInt32) { append(value) }
    mutating func number64(_ value: UInt64) { append(value) }

    mutating func blob(_ value: some Collection<UInt8>) {
        number32(UInt32(clamping: value.count))
        bytes += value
    }

    mutating func text(_ value: String) { blob(Array(value.utf8)) }

    mutating func list<Element>(_ values: [Element], _ write: (inout WireWriter, Element) -> Void) {
        number32(UInt32(clamping: values.count))
        for value in values { write(&self, value) }
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

/// Reads them back. Every length is checked against what is there before anything is allocated.
struct WireReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var remaining: Int { bytes.count - position }

    mutating func byte() throws(WireError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func flag() throws(WireError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        default: throw .badValue
        }
    }

    mutating func number16() throws(WireError) -> UInt16 { try number() }
    mutating func number32() throws(WireError) -> UInt32 { try number() }
    mutating func number64() throws(WireError) -> UInt64 { try number() }

    mutating func blob() throws(WireError) -> [UInt8] {
        let count = Int(try number32())
        guard count <= remaining else { throw .truncated }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// - Parameter longest: Above this many bytes it is no honest value.
    mutating func blob(upTo longest: Int) throws(WireError) -> [UInt8] {
        let bytes = try blob()
        guard bytes.count <= longest else { throw .tooLong }
        return bytes
    }

    /// At most 16 KiB, which no path or message of ours comes near.
    mutating func text() throws(WireError) -> String {
        guard let text = String(validating: try blob(upTo: 16_384), as: UTF8.self) else { throw .badValue }
        return text
    }

    /// - Parameters:
    ///   - smallest: The fewest bytes that an element takes, which bounds the count by what is there.
    ///   - limit: The most elements: in memory they are larger than on the wire.
    mutating func list<Element>(
        smallest: Int, limit: Int = 16_384, _ read: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = Int(try number32())
        guard count <= remaining / smallest else { throw .truncated }
        guard count <= limit else { throw .tooLong }
        var values: [Element] = []
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    func end() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes }
    }

    private mutating func number<Number: FixedWidthInteger>() throws(WireError) -> Number {
        let width = Number.bitWidth / 8
        guard remaining >= width else { throw .truncated }
        defer { position += width }
        return bytes[position..<position + width].reduce(0) { $0 << 8 | Number($1) }
    }
}
