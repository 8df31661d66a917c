import Encodings
import PlainText

/// A line of the Assuan protocol ("Developing with Assuan", Server responses): pinentry's answer, or a command to it.
package enum AssuanLine: Equatable {
    case ok
    /// libgpg-error's code, without the source in its upper bits, and its words.
    case error(code: Int, text: String)
    /// Data, escaped, from this byte of the line on.
    case data(from: Int)
    /// A comment, or a status line: both are ignored here.
    case other
    /// Nothing that may stand here.
    case unexpected

    /// The longest line in bytes, without its end.
    package static let longest = 1000

    package init(_ line: Span<UInt8>) {
        func starts(with text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            return line.extracting(first: count).isEqual(to: text)
                && (line.count == count || line[count] == UInt8(ascii: " "))
        }
        if starts(with: "OK") {
            self = .ok
        } else if starts(with: "ERR") {
            self = Self.error((min(4, line.count)..<line.count).map { line[$0] })
        } else if starts(with: "D"), line.count > 1 {
            self = .data(from: 2)
        } else if !line.isEmpty && line[0] == UInt8(ascii: "#") || starts(with: "S") {
            self = .other
        } else {
            self = .unexpected
        }
    }

    /// - Parameter rest: The text behind `ERR `: a number, and words for people.
    private static func error(_ rest: [UInt8]) -> Self {
        let digits = rest.prefix(while: \.isDigit)
        let code = digits.prefix(10).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        let words = PlainText.log(String(decoding: rest.dropFirst(digits.count), as: UTF8.self), longest: 80)
        return .error(code: code & 0xFFFF, text: String(words.drop { $0 == " " }))
    }

    /// Undoes the escapes of data, `%` and two digits, straight into `room`.
    ///
    /// - Returns: How many bytes there are; nil when they do not fit, or an escape is none.
    package static func unescape(_ data: Span<UInt8>, into room: UnsafeMutableRawBufferPointer) -> Int? {
        var count = 0
        var index = 0
        while index < data.count {
            var byte = data[index]
            index += 1
            if byte == UInt8(ascii: "%") {
                guard index + 2 <= data.count,
                    let escaped = Hexadecimal.byte(data[index], data[index + 1])
                else { return nil }
                byte = escaped
                index += 2
            }
            guard count < room.count else { return nil }
            unsafe room[count] = byte
            count += 1
        }
        return count
    }

    /// A command with a text, escaped, and cut where the line is full.
    package static func command(_ name: String, _ text: String) -> [UInt8] {
        var line = Array("\(name) ".utf8)
        for character in text {
            let escaped = PercentEncoding.encode(character.utf8) { byte in
                byte >= 0x20 && byte != 0x7F && byte != UInt8(ascii: "%")
            }
            guard line.count + escaped.count <= longest else { break }
            line += escaped
        }
        return line + [UInt8(ascii: "\n")]
    }
}
