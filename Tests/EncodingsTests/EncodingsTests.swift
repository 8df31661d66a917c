import Encodings
import Testing

@Suite struct EncodingsTests {
    // RFC 4648 §10.
    @Test(
        "Base 64 and base 16 are those of the RFC",
        arguments: [
            ("", "", ""), ("f", "Zg==", "66"), ("fo", "Zm8=", "666F"), ("foo", "Zm9v", "666F6F"),
            ("foob", "Zm9vYg==", "666F6F62"), ("fooba", "Zm9vYmE=", "666F6F6261"),
            ("foobar", "Zm9vYmFy", "666F6F626172"),
        ])
    func rfc4648(text: String, base64: String, base16: String) {
        let bytes = Array(text.utf8)
        #expect(Base64.encode(bytes) == base64)
        #expect(Hexadecimal.encode(bytes, .uppercase) == base16)
        #expect(Hexadecimal.encode(bytes) == base16.lowercased())
        #expect(Hexadecimal.decode(base16.utf8) == bytes)
        #expect(Hexadecimal.decode(base16.lowercased().utf8) == bytes)
    }

    @Test("Only pairs of hexadecimal digits are read", arguments: ["0", "000", "0g", "g0", " 00", "0x00", "００", "-1"])
    func notHexadecimal(text: String) {
        #expect(Hexadecimal.decode(text.utf8) == nil)
    }

    // urllib.parse.quote(text, safe="-_.~"), as botocore does it.
    @Test(
        "Escapes are those of the AWS SDK for Python",
        arguments: [
            ("aZ09-._~", "aZ09-._~"), ("a b", "a%20b"), ("a+b=c,d.e@f", "a%2Bb%3Dc%2Cd.e%40f"),
            ("/:*%", "%2F%3A%2A%25"), ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"), ("\n\0", "%0A%00"),
        ])
    func percentEncoding(text: String, encoded: String) {
        #expect(PercentEncoding.encode(text.utf8, plain: \.isUnreserved) == Array(encoded.utf8))
    }

    @Test(
        "An escape is a percent sign and two hexadecimal digits",
        arguments: [
            ("%41", UInt8?.some(0x41)), ("%fFx", 0xFF), ("%4", nil), ("%", nil), ("", nil), ("%4g", nil), ("%g4", nil),
            ("x41", nil), ("%%41", nil),
        ])
    func unescaping(text: String, byte: UInt8?) {
        #expect(PercentEncoding.unescape(Array("skipped\(text)".utf8).dropFirst(7)) == byte)
    }
}
