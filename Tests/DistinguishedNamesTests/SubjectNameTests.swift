import Testing

@testable import DistinguishedNames

@Suite struct SubjectNameTests {
    @Test(
        "One name has one encoding, however it is written",
        arguments: [
            "CN=a, O=b", "cn=a;O=b", "commonName = a ,organizationName=b", "2.5.4.3=a,OID.2.5.4.10=b", #"CN="a",O=\62"#,
            "CN=#0C0161,O=#0C0162",
        ])
    func spellings(_ text: String) throws { #expect(try SubjectName(text) == SubjectName("CN=a,O=b")) }

    @Test("The encoding is that of RFC 4514's own examples, as openssl asn1parse -genconf writes them")
    func encoding() throws {
        // SEQUENCE { SET { O=b }, SET { CN=a } }
        #expect(
            try SubjectName("CN=a,O=b").der == [
                0x30, 0x18, 0x31, 0x0A, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x0A, 0x0C, 0x01, 0x62,
                0x31, 0x0A, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0C, 0x01, 0x61,
            ])
        // A PrintableString, and an IA5String: RFC 5280 appendix A.1.
        #expect(try SubjectName("C=DE").der.suffix(4) == [0x13, 0x02, 0x44, 0x45])
        #expect(try SubjectName("telephoneNumber=1-2").der.suffix(5) == [0x13, 0x03, 0x31, 0x2D, 0x32])
        #expect(try SubjectName("DC=de").der.suffix(4) == [0x16, 0x02, 0x64, 0x65])
    }

    @Test(
        "What is no subject is refused with its place",
        arguments: [
            ("", "column 1: the name is empty; write for example CN=Example Root"),
            ("CN=", "column 4: CN has no value"), ("CN= ,O=a", "column 5: CN has no value"),
            ("CN=a\u{7}b", "column 5: the value of CN holds U+0007, a control character or one that shows nothing"),
            (#"CN=a\0Ab"#, "column 5: the value of CN holds U+000A, a control character or one that shows nothing"),
            (
                "O=é,CN=é\u{202E}b",
                "column 11: the value of CN holds U+202E, a control character or one that shows nothing"
            ),
            (#"CN=\FF"#, "column 4: the value of CN is not UTF-8"),
            ("CN=#0C01", "column 4: after '#' stands no UTF8String, PrintableString or IA5String in DER"),
            ("CN=#04026162", "column 4: after '#' stands no UTF8String, PrintableString or IA5String in DER"),
            ("CN=#0C0107", "column 4: the value of CN holds U+0007, a control character or one that shows nothing"),
            (
                "CN=#130140",
                "column 4: the string after '#' holds what its kind does not: letters, digits, spaces and '()+,-./:=? alone"
            ),
            ("O=a,C=DEU", "column 7: C has 3 characters; it takes exactly 2"),
            ("C=D_", "column 4: C takes letters, digits, spaces and '()+,-./:=? alone"),
            ("DC=é", "column 4: DC takes ASCII alone"),
            ("CN=" + String(repeating: "ü", count: 65), "column 4: CN has 65 characters; it takes at most 64"),
            ("CN=a+O=b+CN=c", "column 10: CN stands twice in one relative name"),
            ("CN=a+2.5.4.3=c", "column 6: CN stands twice in one relative name"),
            (
                "CNN=a",
                "column 1: unknown attribute type 'CNN'; write an object identifier, such as 2.5.4.3, for types without a name here"
            ),
            (
                "3.5=a",
                "column 1: unknown attribute type '3.5'; write an object identifier, such as 2.5.4.3, for types without a name here"
            ),
            ("CN=" + String(repeating: "a", count: 4094), "column 4097: the name has more than 4096 bytes"),
        ])
    func refusals(_ text: String, _ message: String) {
        #expect(throws: DistinguishedNameError(message: message)) { try SubjectName(text) }
    }
}
