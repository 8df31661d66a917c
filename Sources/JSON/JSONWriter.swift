#if !hasFeature(Embedded)
    import Encodings
#endif

/// Where a text goes, byte by byte.
package protocol JSONSink: ~Copyable {
    associatedtype Failure: Error

    mutating func append(_ byte: UInt8) throws(Failure)
}

extension [UInt8]: JSONSink {
    package typealias Failure = Never
}

/// Writes one JSON text (RFC 8259), its members in the order of the calls, without white space.
///
/// The caller closes what it opens, and gives each member a name first.
package struct JSONWriter<Sink: JSONSink & ~Copyable>: ~Copyable {
    private var sink: Sink
    /// Whether a comma comes before what is written next.
    private var isBehindValue = false

    package init(to sink: consuming Sink) { self.sink = sink }

    /// What has been written.
    package consuming func finish() -> Sink { sink }

    package mutating func beginObject() throws(Sink.Failure) { try begin(UInt8(ascii: "{")) }
    package mutating func endObject() throws(Sink.Failure) { try end(UInt8(ascii: "}")) }
    package mutating func beginArray() throws(Sink.Failure) { try begin(UInt8(ascii: "[")) }
    package mutating func endArray() throws(Sink.Failure) { try end(UInt8(ascii: "]")) }

    package mutating func name(_ name: String) throws(Sink.Failure) {
        try string(name)
        try sink.append(UInt8(ascii: ":"))
        isBehindValue = false
    }

    package mutating func string(_ text: String) throws(Sink.Failure) {
        try beginValue()
        try sink.append(UInt8(ascii: "\""))
        for byte in text.utf8 { try append(escaped: byte) }
        try sink.append(UInt8(ascii: "\""))
    }

    /// - Parameter utf8: Checked by the caller. No copy of it stays anywhere.
    package mutating func string(_ utf8: Span<UInt8>) throws(Sink.Failure) {
        try beginValue()
        try sink.append(UInt8(ascii: "\""))
        for index in utf8.indices { try append(escaped: utf8[index]) }
        try sink.append(UInt8(ascii: "\""))
    }

    package mutating func member(_ name: String, _ text: String) throws(Sink.Failure) {
        try self.name(name)
        try string(text)
    }

    package mutating func integer(_ number: some BinaryInteger) throws(Sink.Failure) { try bare("\(number)") }
    package mutating func boolean(_ flag: Bool) throws(Sink.Failure) { try bare(flag ? "true" : "false") }

    private mutating func begin(_ bracket: UInt8) throws(Sink.Failure) {
        try beginValue()
        try sink.append(bracket)
        isBehindValue = false
    }

    private mutating func end(_ bracket: UInt8) throws(Sink.Failure) {
        try sink.append(bracket)
        isBehindValue = true
    }

    private mutating func beginValue() throws(Sink.Failure) {
        if isBehindValue { try sink.append(UInt8(ascii: ",")) }
        isBehindValue = true
    }

    private mutating func bare(_ text: String) throws(Sink.Failure) {
        try beginValue()
        for byte in text.utf8 { try sink.append(byte) }
    }

    /// RFC 8259 §7; DEL is escaped as well, because a text may come to a terminal.
    private mutating func append(escaped byte: UInt8) throws(Sink.Failure) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            try sink.append(UInt8(ascii: "\\"))
            try sink.append(byte)
        case UInt8(ascii: "\n"):
            try sink.append(UInt8(ascii: "\\"))
            try sink.append(UInt8(ascii: "n"))
        case 0..<0x20, 0x7F:
            for byte in "\\u00".utf8 { try sink.append(byte) }
            try sink.append(Hexadecimal.digit(byte >> 4, .lowercase))
            try sink.append(Hexadecimal.digit(byte & 15, .lowercase))
        default: try sink.append(byte)
        }
    }
}

extension JSONWriter where Sink == [UInt8] {
    /// - Parameter capacity: For a text of about so many bytes.
    package init(capacity: Int = 0) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(capacity)
        self.init(to: bytes)
    }
}

extension JSONWriter: Copyable where Sink: Copyable {}
