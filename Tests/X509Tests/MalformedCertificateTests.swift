import Testing

@testable import X509

@Suite struct MalformedCertificateTests {
    @Test(
        "Bytes that are no certificate are refused with the reason",
        arguments: [
            ([], "the certificate is empty, or has more than 65536 bytes"),
            (Array("-----BEGIN CERTIFICATE-----".utf8), "the certificate is PEM text where DER is needed"),
            (
                [0x1f, 0x8b, 0x08, 0x00],
                "the certificate is compressed with gzip, and the PKCS#11 module did not unpack it"
            ),
            ([UInt8](repeating: 0, count: 500), "the certificate is not DER: it does not start with a SEQUENCE"),
            ([0x30], "the certificate ends after 1 of 2 bytes"),
            ([0x30, 0x05, 0x01], "the certificate ends after 3 of 7 bytes"),
            ([0x30, 0x82, 0x01], "the certificate ends after 3 of 4 bytes"),
            ([0x30, 0x80, 0x00, 0x00], "the certificate is not DER: it does not start with a SEQUENCE"),
            ([0x30, 0x81, 0x01, 0x00], "the certificate is not DER: it does not start with a SEQUENCE"),
            ([0x30, 0x82, 0x00, 0x90], "the certificate is not DER: it does not start with a SEQUENCE"),
            ([0x30, 0x83, 0xff, 0xff, 0xff], "the certificate ends after 5 of 16777220 bytes"),
            ([0x30, 0x84, 0xff, 0xff, 0xff, 0xff], "the certificate is not DER: it does not start with a SEQUENCE"),
            (
                [0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                "the certificate is not DER: it does not start with a SEQUENCE"
            ),
            ([0x30, 0x00, 0x00, 0x01], "2 bytes that are not zero follow the certificate"),
            ([UInt8](repeating: 0x30, count: 65_537), "the certificate has 65537 bytes, more than 65536"),
            ([UInt8](repeating: 0x30, count: 2 << 20), "the certificate has 2097152 bytes, more than 65536"),
        ] as [([UInt8], String)])
    func notACertificate(_ bytes: [UInt8], message: String) {
        #expect(error(bytes)?.message == message)
    }

    @Test(
        "Certificates with a part that cannot be read are refused with the reason",
        arguments: [
            "bad-extension": "the certificate has an extension that is malformed",
            "serial-65": "the certificate's serial number has 65 bytes, more than 64",
        ])
    func unreadablePart(_ row: (key: String, value: String)) throws {
        #expect(try error(Vectors.bytes("\(row.key).der"))?.message == row.value)
    }

    @Test("A name that is not text is refused with OpenSSL's reason", arguments: ["name-bad-utf8", "name-surrogate"])
    func badName(_ name: String) throws {
        let message = try #require(try error(Vectors.bytes("\(name).der"))?.message)
        #expect(message.hasPrefix("the certificate is malformed (OpenSSL: "), "\(message)")
    }

    @Test("A certificate that ends anywhere is refused")
    func truncated() throws {
        let der = try Vectors.bytes("leaf.der")
        for count in 0..<der.count {
            #expect(throws: CertificateError.self) { try Certificate(der: Array(der.prefix(count))) }
            // The same with the outer length made right again.
            guard count >= 260 else { continue }
            let body = count - 4
            let cut = [0x30, 0x82, UInt8(body >> 8), UInt8(body & 0xff)] + der[4..<count]
            #expect(throws: CertificateError.self) { try Certificate(der: cut) }
        }
    }

    @Test(
        "A version that X.509 does not have is refused, the largest and the smallest number among them",
        arguments: [
            [0x03], [0x7f], [0x80], [0xff], [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0x80, 0, 0, 0, 0, 0, 0, 0], [0x01, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func unknownVersion(_ version: [UInt8]) throws {
        let der = try Vectors.bytes("leaf.der")
        // Of `leaf.der`: the outer header, that of what is signed, and the version, `[0] INTEGER 2`, in 4, 4 and 5 bytes.
        #expect(der[8..<13].elementsEqual([0xa0, 3, 2, 1, 2]))
        let count = version.count
        let added = count - 1
        func header(at index: Int) -> [UInt8] {
            let length = Int(der[index + 2]) << 8 + Int(der[index + 3]) + added
            return [0x30, 0x82, UInt8(length >> 8), UInt8(length & 0xff)]
        }
        let changed =
            header(at: 0) + header(at: 4) + [0xa0, UInt8(count + 2), 2, UInt8(count)] + version + der[13...]
        #expect(error(changed)?.message == "the certificate has a version other than 1, 2 and 3")
    }

    @Test("Any byte may lie: the certificate is refused or read, and nothing breaks")
    func lengthLies() throws {
        for name in ["leaf", "key-rsa2048", "root", "name-multi"] {
            let der = try Vectors.bytes("\(name).der")
            var refused = 0
            for index in der.indices {
                for value: UInt8 in [0x00, 0x7f, 0x80, 0x84, 0xff, der[index] ^ 1] {
                    var changed = der
                    changed[index] = value
                    if error(changed) != nil { refused += 1 }
                }
            }
            #expect(refused > der.count)
        }
    }

    @Test("10,000 levels of nesting are refused without recursion")
    func nesting() {
        var nested: [UInt8] = []
        for _ in 0..<10_000 {
            nested += nested.isEmpty ? [0x30, 0x00] : []
            let count = nested.count
            let header: [UInt8] =
                switch count {
                case ..<0x80: [0x30, UInt8(count)]
                case ..<0x100: [0x30, 0x81, UInt8(count)]
                default: [0x30, 0x82, UInt8(count >> 8), UInt8(count & 0xff)]
                }
            nested = header + nested
        }
        #expect(nested.count > 39_000)
        #expect(error(nested) != nil)
    }

    private func error(_ bytes: [UInt8]) -> CertificateError? {
        do throws(CertificateError) {
            _ = try Certificate(der: bytes)
            return nil
        } catch {
            return error
        }
    }
}
