/// JSON written by hand, for what is rendered often, or holds a secret that must not pass through an encoder's copies.
package enum JSONText {
    /// Appends `text` as a JSON string with its quotes (RFC 8259 §7).
    package static func appendString(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case 0..<0x20, 0x7F:
                bytes += "\\u00".utf8
                bytes += [hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends the members as one JSON object, in this order.
    package static func object(_ members: [(name: String, value: Value)]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        bytes.reserveCapacity(2048)
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            appendString(member.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            switch member.value {
            case .string(let text): appendString(text, to: &bytes)
            case .integer(let number): bytes += String(number).utf8
            }
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    package enum Value {
        case string(String)
        case integer(Int)
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
