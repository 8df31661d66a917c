import Testing

@testable import RolesAnywhere

@Suite struct EncodingTests {
    // hashlib.sha256, FIPS 180-4 examples.
    @Test(
        "The tests' own SHA-256 is SHA-256",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, digest: String) {
        #expect(Hexadecimal.encode(testSHA256(Array(text.utf8))) == digest)
    }

    // RFC 4648 §10.
    @Test(
        "Base64 is that of the RFC",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"), ("client-cert", "Y2xpZW50LWNlcnQ="),
        ])
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
    }

    @Test("Base64 uses the whole alphabet")
    func base64Alphabet() {
        // base64.b64encode(bytes([0x00, 0x10, …]))
        let bytes: [UInt8] = [
            0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8B, 0x30, 0xD3, 0x8F, 0x41, 0x14, 0x93, 0x51, 0x55, 0x97,
            0x61, 0x96, 0x9B, 0x71, 0xD7, 0x9F, 0x82, 0x18, 0xA3, 0x92, 0x59, 0xA7, 0xA2, 0x9A, 0xAB, 0xB2, 0xDB, 0xAF,
            0xC3, 0x1C, 0xB3, 0xD3, 0x5D, 0xB7, 0xE3, 0x9E, 0xBB, 0xF3, 0xDF, 0xBF,
        ]
        #expect(
            Base64.encode(bytes) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    }

    // urllib.parse.quote(text, safe="-_.~"), as botocore does it.
    @Test(
        "Escapes are those of the AWS SDK for Python",
        arguments: [
            ("aZ09-._~", "aZ09-._~"), ("a b", "a%20b"), ("a+b=c,d.e@f", "a%2Bb%3Dc%2Cd.e%40f"),
            ("/:*%", "%2F%3A%2A%25"), ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"), ("\n\0", "%0A%00"),
        ])
    func percentEncoding(text: String, encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
    }

    @Test("Text from elsewhere becomes one short line without anything that moves the cursor or turns the line")
    func displayText() {
        #expect(DisplayText.cleaned("a\r\n\u{1B}[31mb\u{202E}c\u{2028}d\u{0}", limit: 300) == "a [31mb c d")
        #expect(DisplayText.cleaned(String(repeating: "x", count: 400), limit: 300).count == 301)
    }
}
