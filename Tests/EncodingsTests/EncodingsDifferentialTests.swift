import Differential
import Encodings
import Foundation
import Testing

/// The encodings beside Python's.
@Suite struct EncodingsDifferentialTests {
    @Test("Our encodings of 4,000 byte strings are those of Python's base64, binascii and urllib")
    func encoding() throws {
        var generator = SplitMix64(seed: 1)
        let strings = (0..<4000).map { number in
            (0..<Int.random(in: 0...number % 70, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        }
        let answers = try Python.answers(
            """
            import base64, binascii, sys, urllib.parse
            data = sys.stdin.buffer.read()
            while data:
                text, data = data[1:1 + data[0]], data[1 + data[0]:]
                digits = binascii.hexlify(text).decode()
                print(base64.b64encode(text).decode(), digits, digits.upper(), urllib.parse.quote(text, safe="-_.~"), sep=",")
            """, to: Data(strings.flatMap { [UInt8($0.count)] + $0 }))
        try #require(answers.count == strings.count)
        for (bytes, answer) in zip(strings, answers) {
            let escaped = PercentEncoding.encode(bytes, plain: \.isUnreserved)
            let ours = [
                Base64.encode(bytes), Hexadecimal.encode(bytes), Hexadecimal.encode(bytes, .uppercase),
                String(decoding: escaped, as: UTF8.self),
            ]
            #expect(ours.joined(separator: ",") == answer)
            #expect(Hexadecimal.decode(ours[1].utf8) == bytes && Hexadecimal.decode(ours[2].utf8) == bytes)
        }
    }

    @Test("The classes of all 256 bytes are those of Python's string")
    func classes() throws {
        let answers = try Python.answers(
            """
            import string
            token = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
            classes = [string.digits, string.ascii_uppercase, string.ascii_lowercase, string.ascii_letters + string.digits,
                       string.ascii_letters + string.digits + string.punctuation,
                       string.ascii_letters + string.digits + "-._~", token]
            for byte in range(256):
                character = chr(byte) if byte < 128 else ""
                members = "".join("1" if character and character in members else "0" for members in classes)
                hexadecimal = int(character, 16) if character and character in string.hexdigits else "none"
                decimal = int(character) if character and character in string.digits else "none"
                lower = ord(character.lower()) if character else byte
                print(members, decimal, hexadecimal, lower)
            """, to: Data())
        try #require(answers.count == 256)
        for (byte, answer) in zip(UInt8.min...UInt8.max, answers) {
            let members: [Bool] = [
                byte.isDigit, byte.isUppercase, byte.isLowercase, byte.isAlphanumeric, byte.isVisible,
                byte.isUnreserved, byte.isTokenCharacter,
            ]
            let decimal = byte.decimalDigit.map { "\($0)" } ?? "none"
            let hexadecimal = byte.hexadecimalDigit.map { "\($0)" } ?? "none"
            let ours = members.map { $0 ? "1" : "0" }.joined() + " \(decimal) \(hexadecimal) \(byte.lowercased)"
            #expect(ours == answer)
        }
    }
}
