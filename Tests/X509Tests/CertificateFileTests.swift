import Testing

@testable import X509

@Suite struct CertificateFileTests {
    @Test("Every certificate of a file is read, in its order")
    func bundle() throws {
        let expected = try [Vectors.certificate("int-1"), Vectors.certificate("leaf")]
        let bundle = try Vectors.bytes("bundle.pem")
        #expect(try Certificate.pem(bundle) == expected)
        #expect(try Certificate.file(Array("a comment\r\n".utf8) + bundle + Array("the end".utf8)) == expected)
        #expect(try Certificate.file(Vectors.bytes("leaf.der")) == [expected[1]])
        let windows = bundle.flatMap { $0 == UInt8(ascii: "\n") ? Array("\r\n".utf8) : [$0] }
        #expect(try Certificate.pem(windows) == expected)
    }

    @Test(
        "A file with something else is refused with the reason",
        arguments: [
            ("", "the file has no certificate: no line '-----BEGIN CERTIFICATE-----'"),
            ("hello", "the file has no certificate: no line '-----BEGIN CERTIFICATE-----'"),
            ("0", "certificate 1 of the file: the certificate ends after 1 of 2 bytes"),
            (block("RSA PRIVATE KEY"), privateKey), (block("PRIVATE KEY"), privateKey),
            (block("ENCRYPTED PRIVATE KEY") + block("CERTIFICATE"), privateKey),
            (block("PRIVATE KEY").replacing("-----\n", with: "----- \r\n"), privateKey),
            (block("CERTIFICATE REQUEST"), "the file has a block 'CERTIFICATE REQUEST'; only CERTIFICATE is taken"),
            (
                block("CERTIFICATE"),
                "certificate 1 of the file: the certificate is not DER: it does not start with a SEQUENCE"
            ),
            (
                "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
                "block 1 of the file is malformed PEM (OpenSSL: bad base64 decode)"
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END X-----\n",
                "block 1 of the file is malformed PEM (OpenSSL: bad end line)"
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n",
                "block 1 of the file is malformed PEM (OpenSSL: bad end line)"
            ),
        ])
    func refused(_ text: String, message: String) {
        #expect(error(Array(text.utf8))?.message == message)
    }

    @Test(
        "A block of another kind is named",
        arguments: ["with-parameters": "EC PARAMETERS", "trusted": "TRUSTED CERTIFICATE"])
    func otherBlock(_ row: (key: String, value: String)) throws {
        #expect(try error(Vectors.bytes("\(row.key).pem")) == .otherBlock(name: row.value))
    }

    @Test("No more than 100 certificates are read")
    func tooMany() throws {
        let text = try Array(repeatElement(Vectors.bytes("bundle.pem"), count: 50).joined())
        #expect(try Certificate.pem(text).count == 100)
        #expect(try error(text + Vectors.bytes("bundle.pem")) == .tooMany)
    }

    @Test("A file of more than 1 MiB is not looked at")
    func tooLarge() {
        let spaces = [UInt8](repeating: UInt8(ascii: " "), count: 1_048_577)
        #expect(error(spaces)?.message == "the file has 1048577 bytes, more than 1048576")
    }

    private static let privateKey =
        "the file has a private key; keep certificates alone in it, and the key on the token"

    private static func block(_ name: String) -> String { "-----BEGIN \(name)-----\nAAAA\n-----END \(name)-----\n" }

    private func error(_ content: [UInt8]) -> CertificateFileError? {
        do throws(CertificateFileError) {
            _ = try Certificate.file(content)
            return nil
        } catch {
            return error
        }
    }
}
