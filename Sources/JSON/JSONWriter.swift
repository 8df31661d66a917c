#if !hasFeature(Embedded)
    import Encodings
#endif

/// Writes one JSON text (RFC 8259), its members in the order of the calls, without white space.
///
/// The caller closes what it opens, and gives each member a name first.
package struct JSONWriter {
    private var text: [UInt8] = []
    /// Whether a comma comes before what is written next.
    private var isBehindValue = false

    /// - Parameter capacity: For a text of about so many bytes.
    package init(capacity: Int = 0) { text.reserveCapacity(capacity) }

    /// What has been written.
    package consuming func finish() -> [UInt8] { text }

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    package mutating func name(_ name: String) {
        string(name)
        text.append(UInt8(ascii: ":"))
        isBehindValue = false
    }

    package mutating func string(_ string: String) {
        beginValue()
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 { append(escaped: byte) }
        text.append(UInt8(ascii: "\""))
    }

    package mutating func member(_ name: String, _ string: String) {
        self.name(name)
        self.string(string)
    }

    package mutating func integer(_ number: some BinaryInteger) { bare("\(number)") }
    package mutating func boolean(_ flag: Bool) { bare(flag ? "true" : "false") }

    private mutating func begin(_ bracket: UInt8) {
        beginValue()
        text.append(bracket)
        isBehindValue = false
    }

    private mutating func end(_ bracket: UInt8) {
        text.append(bracket)
        isBehindValue = true
    }

    private mutating func beginValue() {
        if isBehindValue { text.append(UInt8(ascii: ",")) }
        isBehindValue = true
    }

    private mutating func bare(_ word: String) {
        beginValue()
        text += word.utf8
    }

    /// RFC 8259 §7; DEL is escaped as well, because a text may come to a terminal.
    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            text += [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\n"):
            text += "\\n".utf8
        case 0..<0x20, 0x7F:
            text += "\\u00".utf8
            text += [Hexadecimal.digit(byte >> 4, .lowercase), Hexadecimal.digit(byte & 15, .lowercase)]
        default: text.append(byte)
        }
    }
}
