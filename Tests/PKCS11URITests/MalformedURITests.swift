import PKCS11URI
import Testing

private let pathNames =
    "token, manufacturer, serial, model, library-manufacturer, library-version, library-description, object, type, id, "
    + "slot-description, slot-manufacturer, slot-id"
private let queryNames = "pin-source, module-name, module-path"
private let noScheme = "column 1: this is no PKCS#11 URI; start it with 'pkcs11:', as in 'pkcs11:token=LABEL'"
private let noEquals = "an attribute has no '='; write NAME=VALUE"
private let noName = "an attribute has no name before '='; write NAME=VALUE"
private let noPathAttribute = "an attribute is missing; remove the ';' that is too many"
private let noQueryAttribute = "an attribute is missing; remove the '&' that is too many"
private let noDigits = "'%' without two hexadecimal digits; write a percent sign as %25"
private let badType = "type is not known; write cert, private, public, secret-key or data"
private let badSlot = "slot-id is no number; write digits, at most 9223372036854775807"
private let badVersion = "library-version is no version; write MAJOR or MAJOR.MINOR, each from 0 to 254"
private let inName = "is in the name of an attribute; names have letters, digits, '-' and '_'"
@Suite("A URI that is malformed")
struct MalformedURITests {
    @Test(
        "Another scheme, or none, is refused",
        arguments: [
            "", ":", "p", "pkcs11", "pkcs11;token=a", "pkcs11=", "pkcs1:", "pkcs12:token=a", "pkcs111:token=a",
            "xpkcs11:token=a", "token=a", " pkcs11:token=a", "\tpkcs11:", "pkcs 11:", "pkcs11 :token=a",
            "\u{FEFF}pkcs11:",
            "pkcs11%3Atoken=a", "file:/etc/passwd", "https://example.com/", "\0pkcs11:",
        ])
    func scheme(text: String) { expectFault(text, noScheme) }

    @Test(
        "Attributes that are cut off are refused",
        arguments: [
            ("pkcs11:a", "column 8: \(noEquals)"),
            ("pkcs11:token", "column 8: \(noEquals)"),
            ("pkcs11:token=a;serial", "column 16: \(noEquals)"),
            ("pkcs11:token%3Da", "column 8: \(noEquals)"),
            ("pkcs11:?pin-source", "column 9: \(noEquals)"),
            ("pkcs11:??", "column 9: \(noEquals)"),
            ("pkcs11:?pin-source=a&b", "column 22: \(noEquals)"),
            ("pkcs11://token", "column 8: \(noEquals)"),
            ("pkcs11:=", "column 8: \(noName)"),
            ("pkcs11:=a", "column 8: \(noName)"),
            ("pkcs11:token=a;=b", "column 16: \(noName)"),
            ("pkcs11:?=a", "column 9: \(noName)"),
            ("pkcs11:?module-name=a&=b", "column 23: \(noName)"),
            ("pkcs11:;", "column 8: \(noPathAttribute)"),
            ("pkcs11:;token=a", "column 8: \(noPathAttribute)"),
            ("pkcs11:token=a;", "column 16: \(noPathAttribute)"),
            ("pkcs11:token=a;;serial=b", "column 16: \(noPathAttribute)"),
            ("pkcs11:token=a;?pin-source=b", "column 16: \(noPathAttribute)"),
            ("pkcs11:;?", "column 8: \(noPathAttribute)"),
            ("pkcs11:?&", "column 9: \(noQueryAttribute)"),
            ("pkcs11:?&pin-source=a", "column 9: \(noQueryAttribute)"),
            ("pkcs11:?pin-source=a&", "column 22: \(noQueryAttribute)"),
            ("pkcs11:?pin-source=a&&module-name=b", "column 22: \(noQueryAttribute)"),
        ])
    func structure(text: String, message: String) { expectFault(text, message) }

    @Test(
        "Escapes that are no escapes are refused",
        arguments: [
            ("pkcs11:token=%", "column 14: \(noDigits)"),
            ("pkcs11:token=%4", "column 14: \(noDigits)"),
            ("pkcs11:token=ab%", "column 16: \(noDigits)"),
            ("pkcs11:token=%zz", "column 14: \(noDigits)"),
            ("pkcs11:token=%4g", "column 14: \(noDigits)"),
            ("pkcs11:token=%g4", "column 14: \(noDigits)"),
            ("pkcs11:token=%%41", "column 14: \(noDigits)"),
            ("pkcs11:token=%-1", "column 14: \(noDigits)"),
            ("pkcs11:token=%+1", "column 14: \(noDigits)"),
            ("pkcs11:token=% 1", "column 14: \(noDigits)"),
            ("pkcs11:token=%0x41", "column 14: \(noDigits)"),
            ("pkcs11:token=%u0041", "column 14: \(noDigits)"),
            ("pkcs11:token=%4;serial=1", "column 14: \(noDigits)"),
            ("pkcs11:token=%;41", "column 14: \(noDigits)"),
            ("pkcs11:token=%\u{FF11}1", "column 14: \(noDigits)"),
            ("pkcs11:token=%4\0", "column 14: \(noDigits)"),
            ("pkcs11:id=%0", "column 11: \(noDigits)"),
            ("pkcs11:id=%00%", "column 14: \(noDigits)"),
            ("pkcs11:?pin-source=%", "column 20: \(noDigits)"),
            ("pkcs11:?module-path=%2&module-name=a", "column 21: \(noDigits)"),
        ])
    func escapes(text: String, message: String) { expectFault(text, message) }

    @Test(
        "Characters that the grammar does not have are refused",
        arguments: [
            ("pkcs11:token=a b", "column 15: a space must be escaped; write %20"),
            ("pkcs11:token=a ", "column 15: a space must be escaped; write %20"),
            ("pkcs11:token=a\n", "column 15: byte 0x0A must be escaped; write %0A"),
            ("pkcs11:token=a\r\n", "column 15: byte 0x0D must be escaped; write %0D"),
            ("pkcs11:token=\t", "column 14: byte 0x09 must be escaped; write %09"),
            ("pkcs11:token=a\0b", "column 15: byte 0x00 must be escaped; write %00"),
            ("pkcs11:token=\u{1B}[31m", "column 14: byte 0x1B must be escaped; write %1B"),
            ("pkcs11:token=\u{7F}", "column 14: byte 0x7F must be escaped; write %7F"),
            ("pkcs11:token=á", "column 14: byte 0xC3 must be escaped; write %C3"),
            ("pkcs11:token=\u{202E}a", "column 14: byte 0xE2 must be escaped; write %E2"),
            ("pkcs11:token=/", "column 14: '/' must be escaped; write %2F"),
            ("pkcs11:token=|", "column 14: '|' must be escaped; write %7C"),
            ("pkcs11:token=#", "column 14: '#' must be escaped; write %23"),
            ("pkcs11:token=\"a\"", "column 14: '\"' must be escaped; write %22"),
            ("pkcs11:token=<", "column 14: '<' must be escaped; write %3C"),
            ("pkcs11:token=>", "column 14: '>' must be escaped; write %3E"),
            ("pkcs11:token=\\", "column 14: '\\' must be escaped; write %5C"),
            ("pkcs11:token=^", "column 14: '^' must be escaped; write %5E"),
            ("pkcs11:token=`id`", "column 14: '`' must be escaped; write %60"),
            ("pkcs11:token={}", "column 14: '{' must be escaped; write %7B"),
            ("pkcs11:id=\u{1}", "column 11: byte 0x01 must be escaped; write %01"),
            ("pkcs11:type=cert#a", "column 17: '#' must be escaped; write %23"),
            ("pkcs11:slot-id= 1", "column 16: a space must be escaped; write %20"),
            ("pkcs11:?pin-source=a;module-name=b", "column 21: ';' must be escaped; write %3B"),
            ("pkcs11:?pin-source=a#b", "column 21: '#' must be escaped; write %23"),
            ("pkcs11:?module-path=C:\\a", "column 23: '\\' must be escaped; write %5C"),
            ("pkcs11:?module-name=é", "column 21: byte 0xC3 must be escaped; write %C3"),
            ("pkcs11:?pin-source=a&\u{A0}=b", "column 22: byte 0xC2 \(inName)"),
        ])
    func characters(text: String, message: String) { expectFault(text, message) }

    @Test(
        "Names that are unknown, twice or misplaced are refused",
        arguments: [
            ("pkcs11:tokn=a", "column 8: unknown attribute 'tokn'; known here: \(pathNames)"),
            ("pkcs11:vendor-aaa=a", "column 8: unknown attribute 'vendor-aaa'; known here: \(pathNames)"),
            (
                "pkcs11:token=my-token;object=my-certificate;type=cert;vendor-aaa=value-a"
                    + "?pin-source=file:/etc/token_pin&vendor-bbb=value-b",
                "column 55: unknown attribute 'vendor-aaa'; known here: \(pathNames)"
            ),
            ("pkcs11:x=", "column 8: unknown attribute 'x'; known here: \(pathNames)"),
            ("pkcs11:Token=a", "column 8: unknown attribute 'Token'; write token"),
            ("pkcs11:SLOT-ID=1", "column 8: unknown attribute 'SLOT-ID'; write slot-id"),
            ("pkcs11:objecttype=cert", "column 8: unknown attribute 'objecttype'; write type"),
            ("pkcs11:token=a;object-type=cert", "column 16: unknown attribute 'object-type'; write type"),
            ("pkcs11:pinfile=a", "column 8: unknown attribute 'pinfile'; write pin-source"),
            ("pkcs11:?pinfile=a", "column 9: unknown attribute 'pinfile'; write pin-source"),
            ("pkcs11:?vendor-bbb=b", "column 9: unknown attribute 'vendor-bbb'; known here: \(queryNames)"),
            ("pkcs11:?pin=1234", "column 9: unknown attribute 'pin'; known here: \(queryNames)"),
            ("pkcs11:?Module-Name=b", "column 9: unknown attribute 'Module-Name'; write module-name"),
            (
                "pkcs11:" + String(repeating: "a", count: 41) + "=b",
                "column 8: unknown attribute with a name of 41 bytes; known here: \(pathNames)"
            ),
            ("pkcs11: token=a", "column 8: a space \(inName)"),
            ("pkcs11:token =a", "column 13: a space \(inName)"),
            ("pkcs11:token=a; serial=b", "column 16: a space \(inName)"),
            ("pkcs11://token=a", "column 8: '/' \(inName)"),
            ("pkcs11:t%6Fken=a", "column 9: '%' \(inName)"),
            ("pkcs11:pkcs11:token=a", "column 14: ':' \(inName)"),
            ("pkcs11:tóken=a", "column 9: byte 0xC3 \(inName)"),
            ("pkcs11:??pin-source=a", "column 9: '?' \(inName)"),
            ("pkcs11:token=a;token=b", "column 16: token is given twice; keep one of them"),
            ("pkcs11:token=a;token=a", "column 16: token is given twice; keep one of them"),
            ("pkcs11:id=%01;type=cert;id=%02", "column 25: id is given twice; keep one of them"),
            ("pkcs11:type=cert;type=private", "column 18: type is given twice; keep one of them"),
            ("pkcs11:slot-id=1;slot-id=1", "column 18: slot-id is given twice; keep one of them"),
            ("pkcs11:?pin-source=a&pin-source=b", "column 22: pin-source is given twice; keep one of them"),
            ("pkcs11:pin-source=file:a", "column 8: pin-source is in the wrong half; write it after the '?'"),
            ("pkcs11:token=a;module-name=b", "column 16: module-name is in the wrong half; write it after the '?'"),
            ("pkcs11:?token=a", "column 9: token is in the wrong half; write it before the '?'"),
            ("pkcs11:?pin-source=a&type=cert", "column 22: type is in the wrong half; write it before the '?'"),
        ])
    func names(text: String, message: String) { expectFault(text, message) }

    @Test(
        "Values that mean nothing are refused",
        arguments: [
            ("pkcs11:type=", "column 13: \(badType)"),
            ("pkcs11:type=certificate", "column 13: \(badType)"),
            ("pkcs11:type=Cert", "column 13: \(badType)"),
            ("pkcs11:type=secretkey", "column 13: \(badType)"),
            ("pkcs11:type=%63ert", "column 13: \(badType)"),
            ("pkcs11:type=cert%00", "column 13: \(badType)"),
            ("pkcs11:token=a;type=key", "column 21: \(badType)"),
            ("pkcs11:slot-id=", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=a", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=-1", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=+1", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=0x1", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=1.0", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=%31", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=9223372036854775808", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=18446744073709551615", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=18446744073709551616", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=184467440737095516160", "column 16: \(badSlot)"),
            ("pkcs11:slot-id=" + String(repeating: "9", count: 1000), "column 16: \(badSlot)"),
            ("pkcs11:library-version=", "column 24: \(badVersion)"),
            ("pkcs11:library-version=.", "column 24: \(badVersion)"),
            ("pkcs11:library-version=1.", "column 24: \(badVersion)"),
            ("pkcs11:library-version=.1", "column 24: \(badVersion)"),
            ("pkcs11:library-version=1.2.3", "column 24: \(badVersion)"),
            ("pkcs11:library-version=1,2", "column 24: \(badVersion)"),
            ("pkcs11:library-version=v1", "column 24: \(badVersion)"),
            ("pkcs11:library-version=-1", "column 24: \(badVersion)"),
            ("pkcs11:library-version=255", "column 24: \(badVersion)"),
            ("pkcs11:library-version=1.255", "column 24: \(badVersion)"),
            ("pkcs11:library-version=256.0", "column 24: \(badVersion)"),
            ("pkcs11:library-version=4294967297", "column 24: \(badVersion)"),
            ("pkcs11:library-version=18446744073709551617.0", "column 24: \(badVersion)"),
            (
                "pkcs11:?pin-source=a%00b",
                "column 20: pin-source has a NUL byte, where C would end it; remove the %00"
            ),
            (
                "pkcs11:?module-path=/lib.so%00.txt",
                "column 21: module-path has a NUL byte, where C would end it; remove the %00"
            ),
            (
                "pkcs11:?module-name=%00",
                "column 21: module-name has a NUL byte, where C would end it; remove the %00"
            ),
        ])
    func values(text: String, message: String) { expectFault(text, message) }

    @Test(
        "Values that are too long are refused",
        arguments: [
            ("token", 33, 32, "no PKCS#11 module can have that, so correct it"),
            ("manufacturer", 33, 32, "no PKCS#11 module can have that, so correct it"),
            ("serial", 17, 16, "no PKCS#11 module can have that, so correct it"),
            ("model", 17, 16, "no PKCS#11 module can have that, so correct it"),
            ("slot-description", 65, 64, "no PKCS#11 module can have that, so correct it"),
            ("slot-manufacturer", 40, 32, "no PKCS#11 module can have that, so correct it"),
            ("library-description", 100, 32, "no PKCS#11 module can have that, so correct it"),
            ("library-manufacturer", 60_000, 32, "no PKCS#11 module can have that, so correct it"),
            ("object", 1025, 1024, "shorten it"),
            ("id", 60_000, 1024, "shorten it"),
            ("type", 1025, 1024, "shorten it"),
            ("slot-id", 1025, 1024, "shorten it"),
        ])
    func lengths(name: String, length: Int, limit: Int, advice: String) {
        expectFault(
            "pkcs11:\(name)=" + String(repeating: "1", count: length),
            "column \(9 + name.count): \(name) has \(length) bytes and may have \(limit); \(advice)")
    }

    @Test("The one example of RFC 7512 §3 whose label no token can have is refused") func exampleOfTheRFC() {
        expectFault(
            "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate;type=cert",
            "column 14: token has 34 bytes and may have 32; no PKCS#11 module can have that, so correct it")
    }

    @Test("Padding counts: a value of blanks can be too long") func paddingCounts() {
        expectFault(
            "pkcs11:serial=" + String(repeating: "%20", count: 17),
            "column 15: serial has 17 bytes and may have 16; no PKCS#11 module can have that, so correct it")
    }

    @Test("A text above 64 KiB is refused before it is read") func tooLong() {
        expectFault(
            "pkcs11:" + String(repeating: ";", count: 65_530),
            "the URI has 65537 bytes and may have 65536; shorten it")
        expectFault("pkcs11:" + String(repeating: ";", count: 65_529), "column 8: \(noPathAttribute)")
    }
}

/// Expects that `text` is refused with exactly `message`.
func expectFault(_ text: String, _ message: String, at location: SourceLocation = #_sourceLocation) {
    let error = #expect(throws: PKCS11URIError.self, sourceLocation: location) { try PKCS11URI(text) }
    #expect(error?.message == message, sourceLocation: location)
}
