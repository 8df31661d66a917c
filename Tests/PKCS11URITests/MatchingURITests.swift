import PKCS11URI
import Testing

@Suite("A URI that is matched")
struct MatchingURITests {
    private let token = TokenDescription(
        label: Array("prod".utf8), manufacturer: Array("Yubico (www.yubico.com)".utf8),
        model: Array("YubiKey YK5".utf8), serial: Array("12345678".utf8))

    @Test(
        "A token matches what names it, byte for byte",
        arguments: [
            ("pkcs11:", true),
            ("pkcs11:token=prod", true),
            ("pkcs11:token=prod%20%20", true),
            ("pkcs11:token=prod;object=absent;type=private", true),
            ("pkcs11:token=prod;serial=12345678;model=YubiKey%20YK5;manufacturer=Yubico%20(www.yubico.com)", true),
            ("pkcs11:token=Prod", false),
            ("pkcs11:token=pro", false),
            ("pkcs11:token=prod2", false),
            ("pkcs11:token=%20prod", false),
            ("pkcs11:token=", false),
            ("pkcs11:token=prod;serial=12345679", false),
            ("pkcs11:token=prod;model=YubiKey", false),
            ("pkcs11:manufacturer=yubico", false),
            ("pkcs11:serial=", false),
        ])
    func tokens(text: String, matches: Bool) throws {
        #expect(try PKCS11URI(text).matches(LocatedToken(token)) == matches)
    }

    @Test(
        "Padding with blanks or NULs is no part of a token's text",
        arguments: [
            "prod", "prod    ", "prod\0\0\0", "prod \0 \0",
        ])
    func padding(label: String) throws {
        var token = token
        token.label = Array(label.utf8)
        #expect(try PKCS11URI("pkcs11:token=prod").matches(LocatedToken(token)))
        #expect(PKCS11URI(token: token).matches(LocatedToken(token)))
    }

    @Test("A field of blanks is empty, and only an empty value names it") func emptyField() throws {
        var token = token
        token.serial = Array("                ".utf8)
        #expect(try PKCS11URI("pkcs11:serial=").matches(LocatedToken(token)))
        #expect(try PKCS11URI("pkcs11:token=prod").matches(LocatedToken(token)))
        #expect(try !PKCS11URI("pkcs11:serial=1").matches(LocatedToken(token)))
    }

    @Test(
        "A slot is matched when it is known, and never when it is not",
        arguments: [
            ("pkcs11:token=prod", true, true),
            ("pkcs11:slot-id=7", true, false),
            ("pkcs11:slot-id=8", false, false),
            ("pkcs11:slot-description=Reader%2000", true, false),
            ("pkcs11:slot-description=Reader", false, false),
            ("pkcs11:slot-manufacturer=ACS", true, false),
            ("pkcs11:slot-manufacturer=", false, false),
            ("pkcs11:token=other;slot-id=7", false, false),
        ])
    func slots(text: String, known: Bool, unknown: Bool) throws {
        let uri = try PKCS11URI(text)
        let slot = SlotDescription(description: Array("Reader 00   ".utf8), manufacturer: Array("ACS\0".utf8))
        #expect(uri.matches(LocatedToken(token, slotID: 7, slot: slot)) == known)
        #expect(uri.matches(LocatedToken(token)) == unknown)
    }

    @Test(
        "An object matches by label, ID and class, without trimming",
        arguments: [
            ("pkcs11:", true),
            ("pkcs11:token=whatever", true),
            ("pkcs11:object=client", true),
            ("pkcs11:object=client%20", false),
            ("pkcs11:object=Client", false),
            ("pkcs11:object=", false),
            ("pkcs11:id=%01%00", true),
            ("pkcs11:id=%01", false),
            ("pkcs11:id=", false),
            ("pkcs11:type=cert", true),
            ("pkcs11:type=private", false),
            ("pkcs11:object=client;id=%01%00;type=cert", true),
            ("pkcs11:object=client;id=%02", false),
        ])
    func objects(text: String, matches: Bool) throws {
        let uri = try PKCS11URI(text)
        #expect(uri.matchesObject(label: Array("client".utf8), id: [1, 0], type: .certificate) == matches)
    }

    @Test("An object without a label is named by an empty one") func emptyLabel() throws {
        #expect(try PKCS11URI("pkcs11:object=;id=").matchesObject(label: [], id: [], type: .data))
        #expect(try !PKCS11URI("pkcs11:object=a").matchesObject(label: [], id: [], type: .data))
    }

    @Test(
        "A CKA_ID that is written as hexadecimal digits can be read as such",
        arguments: [
            ("pkcs11:token=a;id=01", "pkcs11:token=a;id=%01"), ("pkcs11:id=aAf0", "pkcs11:id=%AA%F0"),
            ("pkcs11:id=%01", nil), ("pkcs11:id=1", nil), ("pkcs11:id=0g", nil), ("pkcs11:id=", nil),
            ("pkcs11:token=01", nil),
        ] as [(String, String?)])
    func digits(text: String, expected: String?) throws {
        #expect(try PKCS11URI(text).withIDAsDigits?.description == expected)
    }

    @Test(
        "A module matches by path, by p11-kit's name and by its file's name, and an unknown one only what names none",
        arguments: [
            ("pkcs11:token=prod", true, true, false),
            ("pkcs11:?module-name=opensc", true, false, true),
            ("pkcs11:?module-name=opensc-pkcs11", true, false, true),
            ("pkcs11:?module-name=OpenSC-PKCS11", true, false, true),
            ("pkcs11:?module-name=opensc-pkcs11.so", false, false, true),
            ("pkcs11:?module-name=open", false, false, true),
            ("pkcs11:?module-name=", false, false, true),
            ("pkcs11:?module-path=/usr/lib/libopensc-pkcs11.so.2", true, false, true),
            ("pkcs11:?module-path=/usr/lib", false, false, true),
            ("pkcs11:?module-name=opensc&module-path=/other", false, false, true),
            ("pkcs11:token=other?module-name=opensc", false, false, true),
        ])
    func modules(text: String, known: Bool, unknown: Bool, namesModule: Bool) throws {
        let uri = try PKCS11URI(text)
        let module = ModuleDescription(name: "opensc", path: "/usr/lib/libopensc-pkcs11.so.2")
        #expect(uri.matches(LocatedToken(token, module: module)) == known)
        #expect(uri.matches(LocatedToken(token)) == unknown)
        #expect(uri.namesModule == namesModule)
    }

    @Test(
        "A token is named by its own fields or its slot's, not by an object or a module",
        arguments: [
            ("pkcs11:", false), ("pkcs11:object=a;id=%01;type=cert", false),
            ("pkcs11:?module-name=m&pin-source=p", false),
            ("pkcs11:library-manufacturer=a", false), ("pkcs11:token=a", true), ("pkcs11:token=", true),
            ("pkcs11:manufacturer=a", true), ("pkcs11:serial=1", true), ("pkcs11:model=a", true),
            ("pkcs11:slot-id=0", true), ("pkcs11:slot-description=a", true), ("pkcs11:slot-manufacturer=a", true),
        ])
    func tokens(text: String, namesToken: Bool) throws {
        #expect(try PKCS11URI(text).namesToken == namesToken)
    }

    @Test(
        "A library matches by its fields",
        arguments: [
            ("pkcs11:", true, false),
            ("pkcs11:library-manufacturer=OpenSC%20Project", true, true),
            ("pkcs11:library-manufacturer=OpenSC", false, true),
            ("pkcs11:library-description=Smartcard", true, true),
            ("pkcs11:library-version=0.23", true, true),
            ("pkcs11:library-version=0", false, true),
            ("pkcs11:library-version=0.23;library-description=x", false, true),
        ])
    func libraries(text: String, matches: Bool, namesModule: Bool) throws {
        let uri = try PKCS11URI(text)
        let library = LibraryDescription(
            manufacturer: Array("OpenSC Project     ".utf8), description: Array("Smartcard".utf8),
            version: LibraryVersion(major: 0, minor: 23))
        let module = ModuleDescription(path: "/m.so", library: library)
        #expect(uri.matches(LocatedToken(token, module: module)) == matches)
        #expect(uri.namesModule == namesModule)
        #expect(uri.matches(LocatedToken(token, module: ModuleDescription(path: "/m.so"))) == !namesModule)
    }

    @Test("A token's module is named where another module shows an equal description, whatever pads it")
    func namedModules() {
        var padded = token
        padded.label.append(0x20)
        var other = token
        other.serial.append(0x31)
        let shown = [(token, "/a.so"), (token, "/a.so"), (padded, "/b.so"), (other, "/c.so")].map { token, path in
            LocatedToken(token, module: ModuleDescription(path: path))
        }
        let queries = shown.uris.map { String("\($0)".drop { $0 != "?" }) }
        #expect(queries == ["?module-path=/a.so", "?module-path=/a.so", "?module-path=/b.so", ""])
        #expect(Array(shown.prefix(2)).uris == [PKCS11URI(token: token), PKCS11URI(token: token)])
        for (uri, located) in zip(shown.uris, shown) { #expect(uri.matches(located)) }
    }

    @Test("Two modules of one library are told apart by their names") func modulesOfOneLibrary() {
        let shown = [("one", "/a.so"), (nil, "/a.so"), ("two", "/b.so")].map { name, path in
            LocatedToken(token, module: ModuleDescription(name: name, path: path))
        }
        let queries = shown.uris.map { String("\($0)".drop { $0 != "?" }) }
        #expect(queries == ["?module-name=one&module-path=/a.so", "?module-path=/a.so", "?module-path=/b.so"])
    }

    @Test(
        "A URI of tokens has no attributes of objects and no PIN's source",
        arguments: [
            ("pkcs11:token=a;slot-id=1?module-path=/m.so", true), ("pkcs11:token=a;object=b", false),
            ("pkcs11:token=a;id=%01", false), ("pkcs11:type=cert", false), ("pkcs11:?pin-source=/p", false),
        ])
    func tokensAlone(text: String, isOfTokens: Bool) throws {
        #expect(try (PKCS11URI(text).faultAsTokens == nil) == isOfTokens)
    }
}
