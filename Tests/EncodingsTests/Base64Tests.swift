import Encodings
import Testing

@Suite struct Base64Tests {
    /// RFC 4648 §10.
    static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test("The vectors of RFC 4648 are written and read", arguments: vectors)
    func vector(_ text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.length(of: text.utf8.count) == encoded.utf8.count)
        #expect(decode(encoded) == Array(text.utf8))
    }

    @Test("All characters of the alphabet are read as they are written")
    func alphabet() {
        let bytes = (0...255).flatMap { [UInt8($0), UInt8(255 - $0)] }
        #expect(decode(Base64.encode(bytes)) == bytes)
    }

    @Test(
        "Another spelling is refused",
        arguments: [
            "Z", "Zg", "Zg=", "=", "====", "Z===", "Zg==Zg==", "Zm8=Zm8=", "Zh==", "Zm9=", "Zm9v\n", "Zm-_", " Zg==",
            "Zg=g", "Zm9v=",
        ])
    func refused(_ text: String) { #expect(decode(text) == nil) }

    private func decode(_ text: String) -> [UInt8]? {
        var decoder = Base64Decoder(length: text.utf8.count)
        for character in text.utf8 where !decoder.take(character) { return nil }
        return decoder.isComplete ? decoder.bytes : nil
    }
}
