import PKCS11URI
import Testing

/// A URI and what it says, as `name=value` with values decoded by hand.
struct ValidURI: Sendable {
    var text: String
    var fields: [String]
}

/// The fields that are set, in a form to compare and to read; bytes that are not UTF-8 become U+FFFD.
func fields(of uri: PKCS11URI) -> [String] {
    let texts: [(String, [UInt8]?)] = [
        ("token", uri.token), ("manufacturer", uri.manufacturer), ("serial", uri.serial), ("model", uri.model),
        ("library-manufacturer", uri.libraryManufacturer), ("library-description", uri.libraryDescription),
        ("library-version", uri.libraryVersion.map { Array($0.description.utf8) }), ("object", uri.object),
        ("type", uri.type.map { Array($0.rawValue.utf8) }), ("slot-description", uri.slotDescription),
        ("slot-manufacturer", uri.slotManufacturer), ("slot-id", uri.slotID.map { Array("\($0)".utf8) }),
        ("pin-source", uri.pinSource), ("module-name", uri.moduleName), ("module-path", uri.modulePath),
    ]
    let named = texts.compactMap { name, value in value.map { "\(name)=\(String(decoding: $0, as: UTF8.self))" } }
    return named + (uri.id.map { ["id=\($0)"] } ?? [])
}

@Suite("A URI that is valid")
struct ValidURITests {
    // Without those that are refused, which MalformedURITests has. The text of the last is a token's label in the RFC.
    @Test(
        "The examples of RFC 7512 §3 are read",
        arguments: [
            ValidURI(text: "pkcs11:", fields: []),
            ValidURI(text: "pkcs11:object=my-pubkey;type=public", fields: ["object=my-pubkey", "type=public"]),
            ValidURI(
                text: "pkcs11:object=my-key;type=private?pin-source=file:/etc/token",
                fields: ["object=my-key", "type=private", "pin-source=file:/etc/token"]),
            ValidURI(
                text: "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
                    + "object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin",
                fields: [
                    "token=The Software PKCS#11 Softtoken", "manufacturer=Snake Oil, Inc.", "serial=", "model=1.0",
                    "object=my-certificate", "type=cert", "pin-source=file:/etc/token_pin",
                    "id=[105, 149, 62, 92, 244, 189, 236, 145]",
                ]),
            ValidURI(
                text: "pkcs11:object=my-sign-key;type=private?module-name=mypkcs11",
                fields: ["object=my-sign-key", "type=private", "module-name=mypkcs11"]),
            ValidURI(
                text: "pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1",
                fields: ["object=my-sign-key", "type=private", "module-path=/mnt/libmypkcs11.so.1"]),
            ValidURI(text: "pkcs11:slot-description=Sun%20Metaslot", fields: ["slot-description=Sun Metaslot"]),
            ValidURI(
                text: "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;"
                    + "library-version=1.23",
                fields: [
                    "library-manufacturer=Snake Oil, Inc.", "library-description=Soft Token Library",
                    "library-version=1.23",
                ]),
            ValidURI(
                text: "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;"
                    + "id=%01%02%03%Ba%dd%Ca%fe%04%05%06",
                fields: [
                    "token=My token% created by Joe", "library-version=3.0",
                    "id=[1, 2, 3, 186, 221, 202, 254, 4, 5, 6]",
                ]),
            ValidURI(
                text: "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert",
                fields: ["token=A name with a substring %;", "object=my-certificate", "type=cert"]),
            ValidURI(
                text: "pkcs11:object=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;type=cert",
                fields: ["object=Name with a small A with acute: á", "type=cert"]),
        ])
    func examplesOfTheRFC(_ example: ValidURI) throws {
        #expect(try fields(of: PKCS11URI(example.text)) == example.fields)
    }

    @Test(
        "The grammar of RFC 7512 §2.3 is read to its edges",
        arguments: [
            ValidURI(text: "PKCS11:token=a", fields: ["token=a"]),
            ValidURI(text: "pKcS11:", fields: []),
            ValidURI(text: "pkcs11:?", fields: []),
            ValidURI(text: "pkcs11:?pin-source=", fields: ["pin-source="]),
            ValidURI(text: "pkcs11:token=", fields: ["token="]),
            ValidURI(text: "pkcs11:token==", fields: ["token=="]),
            ValidURI(text: "pkcs11:token=token=a", fields: ["token=token=a"]),
            ValidURI(text: "pkcs11:token=:[]@!$'()*+,=&", fields: ["token=:[]@!$'()*+,=&"]),
            ValidURI(text: "pkcs11:token=-._~09azAZ", fields: ["token=-._~09azAZ"]),
            ValidURI(text: "pkcs11:?module-name=:[]@!$'()*+,=/?|", fields: ["module-name=:[]@!$'()*+,=/?|"]),
            ValidURI(text: "pkcs11:?pin-source=|/usr/bin/pin", fields: ["pin-source=|/usr/bin/pin"]),
            ValidURI(text: "pkcs11:?pin-source=a&module-name=b", fields: ["pin-source=a", "module-name=b"]),
            ValidURI(text: "pkcs11:token=%2f%2F%3b", fields: ["token=//;"]),
            ValidURI(text: "pkcs11:token=a%20%20", fields: ["token=a"]),
            ValidURI(text: "pkcs11:token=a%00%20", fields: ["token=a"]),
            ValidURI(text: "pkcs11:token=%20a", fields: ["token= a"]),
            ValidURI(text: "pkcs11:token=a%00b", fields: ["token=a\0b"]),
            ValidURI(text: "pkcs11:object=a%20", fields: ["object=a "]),
            ValidURI(text: "pkcs11:object=%00", fields: ["object=\0"]),
            ValidURI(text: "pkcs11:id=", fields: ["id=[]"]),
            ValidURI(text: "pkcs11:id=AB%00", fields: ["id=[65, 66, 0]"]),
            ValidURI(text: "pkcs11:type=data", fields: ["type=data"]),
            ValidURI(text: "pkcs11:type=secret-key", fields: ["type=secret-key"]),
            ValidURI(text: "pkcs11:slot-id=0", fields: ["slot-id=0"]),
            ValidURI(text: "pkcs11:slot-id=007", fields: ["slot-id=7"]),
            ValidURI(text: "pkcs11:slot-id=9223372036854775807", fields: ["slot-id=9223372036854775807"]),
            ValidURI(text: "pkcs11:library-version=0", fields: ["library-version=0.0"]),
            ValidURI(text: "pkcs11:library-version=254.254", fields: ["library-version=254.254"]),
            ValidURI(text: "pkcs11:library-version=01.002", fields: ["library-version=1.2"]),
            ValidURI(
                text: "pkcs11:slot-manufacturer=m;slot-id=1;slot-description=d",
                fields: ["slot-description=d", "slot-manufacturer=m", "slot-id=1"]),
        ])
    func edges(_ example: ValidURI) throws {
        #expect(try fields(of: PKCS11URI(example.text)) == example.fields)
    }

    @Test(
        "A value may be as long as its field, or 1 KiB",
        arguments: [
            ("token", 32), ("manufacturer", 32), ("serial", 16), ("model", 16), ("library-manufacturer", 32),
            ("library-description", 32), ("slot-description", 64), ("slot-manufacturer", 32), ("object", 1024),
            ("id", 1024),
        ])
    func longestValues(name: String, length: Int) throws {
        let uri = try PKCS11URI("pkcs11:\(name)=" + String(repeating: "%61", count: length))
        #expect(uri != PKCS11URI())
        #expect(throws: PKCS11URIError.self) {
            try PKCS11URI("pkcs11:\(name)=" + String(repeating: "a", count: length + 1))
        }
    }

    @Test("Every byte can be escaped, in either case of digits") func everyByte() throws {
        let lower = (0...255).map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(try PKCS11URI("pkcs11:id=\(lower)").id == (0...255).map(UInt8.init))
        #expect(try PKCS11URI("pkcs11:id=\(lower.uppercased())").id == (0...255).map(UInt8.init))
    }
}
