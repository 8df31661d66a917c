import Testing

@testable import DistinguishedNames
@testable import X509

@Suite struct DistinguishedNameTests {
    @Test("The text of every certificate's names matches those names", arguments: Vectors.expected)
    func roundTrip(_ expected: Vectors.Expectation) throws {
        let name = try #require(expected["file"])
        guard name != "bad-extension", name != "serial-65", name != "name-empty" else { return }
        let certificate = try Vectors.certificate(name)
        #expect(try DistinguishedName(#require(expected["subject"])).matches(certificate.subject))
        #expect(try DistinguishedName(certificate.subject.description).matches(certificate.subject))
        #expect(try DistinguishedName(#require(expected["issuer"])).matches(certificate.issuer))
    }

    @Test(
        "Equal names and parts of names match, however they are written",
        arguments: [
            "CN=client", "cn = client", "commonName=client", "2.5.4.3=client", "OID.2.5.4.3=client", #"CN="client""#,
            #"CN=cl\69ent"#, "O=\"Example, Inc.\"", #"O=Example\, Inc."#, #"O=Example\2C Inc."#,
            "CN=client,O=Example\\, Inc.", "C=JP, O = \"Example, Inc.\" , CN=client", "C=JP;CN=client",
            "DC=example,DC=org", "E=a@example.org", "emailaddress=a@example.org", "UID=u1", "S=Tokyo", "st=Tokyo",
            "serialnumber=42", "2.5.4.5=42", #"OU=R\+D"#,
            "CN=#0C06636C69656E74", "CN=#1306636C69656E74",
        ])
    func matches(_ text: String) throws {
        #expect(try DistinguishedName(text).matches(Vectors.certificate("name-full").subject))
    }

    @Test(
        "Other names do not match",
        arguments: [
            "CN=Client", "CN=clien", "CN=client ,CN=client", "CN=client,O=Other", "O=client", "CN=client\\ ",
            "DC=example,DC=org,DC=org", "CN=client+O=\"Example, Inc.\"", "CN=#0C06636C69656E75", "CN=#0406636C69656E74",
            "CN=#0C05636C69656E74", "1.2.3=client",
        ])
    func mismatches(_ text: String) throws {
        #expect(try !DistinguishedName(text).matches(Vectors.certificate("name-full").subject))
    }

    @Test(
        "A type without a name is written with its value as text or in hexadecimal DER, as openssl prints both",
        arguments: ["1.2.3.4 = unknown type", "1.2.3.4=#0C0C756E6B6E6F776E2074797065", "CN=oid, 1.2.3.4=unknown type"])
    func unnamedTypes(_ text: String) throws {
        #expect(try DistinguishedName(text).matches(Vectors.certificate("name-oid").subject))
    }

    @Test(
        "A relative name of several values matches as a whole, in any order",
        arguments: [
            ("CN=a+UID=b", true), ("UID=b + CN=a", true), ("CN=a", false), ("O=Example+OU=Build,CN=a+UID=b", true),
        ])
    func multiValued(_ text: String, expected: Bool) throws {
        #expect(try DistinguishedName(text).matches(Vectors.certificate("name-multi").subject) == expected)
    }

    @Test("An empty name matches nothing")
    func emptyName() throws {
        #expect(try !DistinguishedName("CN=a").matches(Vectors.certificate("name-empty").subject))
    }

    @Test(
        "A text that is no name is refused with the place",
        arguments: [
            "": "column 1: the name is empty; write for example CN=Example Root",
            "   ": "column 1: the name is empty; write for example CN=Example Root",
            "Example": "column 8: '=' is missing after 'Example'", "CN": "column 3: '=' is missing after 'CN'",
            "=x": "column 1: an attribute type such as CN is missing",
            "CN=a,": "column 6: an attribute type such as CN is missing",
            "CN=a,,O=b": "column 6: an attribute type such as CN is missing",
            "/CN=a": "column 1: an attribute type such as CN is missing",
            "CN=a\\": "column 6: nothing follows the backslash",
            "CN=a\\x": "column 6: this character must not be escaped",
            "CN=a\\4": "column 6: two hexadecimal digits are needed",
            "CN=\"a": "column 6: the closing quotation mark is missing",
            "CN=\"a\"b":
                "column 7: a ',' or the end is needed here; escape special characters with a backslash",
            "CN=a\"b\"":
                "column 5: a ',' or the end is needed here; escape special characters with a backslash",
            "CN=#": "column 5: hexadecimal digits are missing after '#'",
            "CN=#0": "column 5: two hexadecimal digits are needed",
            "CN=#00zz":
                "column 7: a ',' or the end is needed here; escape special characters with a backslash",
            "1..2=x": "column 1: unknown attribute type '1..2'",
        ])
    func malformed(_ row: (key: String, value: String)) {
        #expect(throws: DistinguishedNameError(message: row.value)) { try DistinguishedName(row.key) }
    }
}

@Suite struct SerialNumberTextTests {
    @Test(
        "Serial numbers are compared as integers, digits alone in both readings",
        arguments: [
            ("5215639076998761095638506031589467414", "serial-envoy-1", .decimal),
            ("0005215639076998761095638506031589467414", "serial-envoy-1", .decimal),
            ("03ec7edc37a757d3f69a309a7d91a516", "serial-envoy-1", .hexadecimal),
            ("3EC7EDC37A757D3F69A309A7D91A516", "serial-envoy-1", .hexadecimal),
            ("serial=03EC7EDC37A757D3F69A309A7D91A516", "serial-envoy-1", .hexadecimal),
            ("03:EC:7E:DC:37:A7:57:D3:F6:9A:30:9A:7D:91:A5:16", "serial-envoy-1", .hexadecimal),
            ("0x03ec7edc37a757d3f69a309a7d91a516", "serial-envoy-1", .hexadecimal),
            ("0x03ec7edc37a757d3f69a309a7d91a517", "serial-envoy-1", nil), ("1", "serial-one", .decimal),
            ("0x1", "serial-one", .hexadecimal), ("001", "serial-one", .decimal), ("0", "serial-zero", .decimal),
            ("0x0", "serial-zero", .hexadecimal), ("-0", "serial-zero", .decimal),
            ("00:00", "serial-zero", .hexadecimal),
            ("-291", "serial-negative", .decimal), ("-0x123", "serial-negative", .hexadecimal),
            ("-123", "serial-negative", .hexadecimal), ("serial=-0123", "serial-negative", .hexadecimal),
            ("291", "serial-negative", nil), ("0x291", "serial-negative", nil), ("10", "serial-one", nil),
        ] as [(String, String, SerialNumberText.Reading?)])
    func compared(_ text: String, name: String, expected: SerialNumberText.Reading?) throws {
        #expect(try #require(SerialNumberText(text)).reading(of: Vectors.certificate(name).serial) == expected)
    }

    @Test(
        "Other text is no serial number",
        arguments: [
            "", "-", "0x", "12 34", "xyz", "0x12g", ":", "12:", "12::34", "123:45", "1.5", "٣", "--1", "0x-1",
            String(repeating: "1", count: 257),
        ])
    func refused(_ text: String) { #expect(SerialNumberText(text) == nil) }
}
