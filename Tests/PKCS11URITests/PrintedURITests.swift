import PKCS11URI
import Testing

@Suite("A URI that is printed")
struct PrintedURITests {
    @Test(
        "It has one form, whatever order and escapes it was written with",
        arguments: [
            ("pkcs11:", "pkcs11:"),
            ("PKCS11:?", "pkcs11:"),
            ("pkcs11:type=cert;token=a", "pkcs11:token=a;type=cert"),
            ("pkcs11:?module-path=/a/b&pin-source=file:c", "pkcs11:?pin-source=file:c&module-path=/a/b"),
            ("pkcs11:token=%61%2D%7e", "pkcs11:token=a-~"),
            ("pkcs11:token=a%20", "pkcs11:token=a"),
            ("pkcs11:token=", "pkcs11:token="),
            ("pkcs11:id=abc", "pkcs11:id=%61%62%63"),
            ("pkcs11:id=%fe", "pkcs11:id=%FE"),
            ("pkcs11:object=%c3%a1%2f%3b", "pkcs11:object=%C3%A1%2F%3B"),
            ("pkcs11:object=Oil,%20Inc.", "pkcs11:object=Oil,%20Inc."),
            ("pkcs11:library-version=3", "pkcs11:library-version=3.0"),
            ("pkcs11:slot-id=0012", "pkcs11:slot-id=12"),
            (
                "pkcs11:slot-id=1;slot-manufacturer=k;slot-description=j;id=i;type=data;object=h;library-description=g;"
                    + "library-version=1.2;library-manufacturer=f;model=e;serial=d;manufacturer=c;token=b",
                "pkcs11:token=b;manufacturer=c;serial=d;model=e;library-manufacturer=f;library-version=1.2;"
                    + "library-description=g;object=h;type=data;id=%69;slot-description=j;slot-manufacturer=k;slot-id=1"
            ),
        ])
    func canonicalForm(text: String, printed: String) throws {
        #expect(try PKCS11URI(text).description == printed)
        #expect(try PKCS11URI(printed) == PKCS11URI(text))
    }

    @Test("A label that a shell would act on is escaped") func shellCharacters() throws {
        let printed = PKCS11URI(object: Array("'$(id)`id`!*?[a]&|<>\"\\\n;#".utf8)).description
        let expected = "%27%24%28id%29%60id%60%21%2A%3F%5Ba%5D%26%7C%3C%3E%22%5C%0A%3B%23"
        #expect(printed == "pkcs11:object=\(expected)")
        #expect(
            try PKCS11URI("pkcs11:?module-path=/a'$(b)%26*?|").description
                == "pkcs11:?module-path=/a%27%24%28b%29%26%2A%3F%7C")
    }

    @Test("A label that looks like a PIN does not make its URI unreadable") func labelLikePIN() throws {
        let uri = PKCS11URI(object: Array("a?pin-value=1".utf8))
        #expect(uri.description == "pkcs11:object=a%3Fpin-value%3D1")
        #expect(try PKCS11URI(uri.description) == uri)
    }

    @Test("Any byte comes back, and what is printed is printable ASCII") func everyByte() throws {
        let bytes = (0...255).map { UInt8($0) }
        let uri = PKCS11URI(object: bytes, id: bytes, type: .privateKey)
        #expect(uri.description.utf8.allSatisfy { (0x21...0x7E).contains($0) })
        let again = try PKCS11URI(uri.description)
        #expect(again == uri)
        #expect(again.object == bytes)
        #expect(again.id == bytes)
    }

    private let token = TokenDescription(
        label: Array("Build HSM".utf8), manufacturer: Array("Snake Oil, Inc.  ".utf8), model: [], serial: [0x31, 0, 0])

    @Test("A token and an object on it get a URI that names what they have") func builder() {
        #expect(
            PKCS11URI(token: token, object: Array("client".utf8), id: [0, 1], type: .certificate).description
                == "pkcs11:token=Build%20HSM;manufacturer=Snake%20Oil,%20Inc.;serial=1;model=;"
                + "object=client;type=cert;id=%00%01")
        #expect(
            PKCS11URI(token: token).description
                == "pkcs11:token=Build%20HSM;manufacturer=Snake%20Oil,%20Inc.;serial=1;model=")
        #expect(PKCS11URI(type: .publicKey).description == "pkcs11:type=public")
    }

    @Test("Text that could not be read again is left out") func tooLongToRead() throws {
        let long = [UInt8](repeating: 0x61, count: 1025)
        let uri = PKCS11URI(
            token: TokenDescription(label: long, manufacturer: [], model: [], serial: []), object: long, id: [7])
        #expect(uri.description == "pkcs11:manufacturer=;serial=;model=;id=%07")
    }

    @Test("The largest URI that can be built can be read") func largest() throws {
        let field = [UInt8](repeating: 0xFF, count: 16)
        let uri = PKCS11URI(
            token: TokenDescription(label: field + field, manufacturer: field + field, model: field, serial: field),
            object: [UInt8](repeating: 0xFF, count: 1024), id: [UInt8](repeating: 0xFF, count: 1024), type: .secretKey)
        #expect(try PKCS11URI(uri.description) == uri)
    }

    @Test(
        "The token's part leaves out the object and its PIN",
        arguments: [
            ("pkcs11:", true, "pkcs11:"),
            ("pkcs11:token=a", true, "pkcs11:token=a"),
            ("pkcs11:token=a;slot-id=3?module-name=m", true, "pkcs11:token=a;slot-id=3?module-name=m"),
            ("pkcs11:token=a?pin-source=file:/b", true, "pkcs11:token=a"),
            ("pkcs11:token=a;object=b", false, "pkcs11:token=a"),
            ("pkcs11:token=a;type=cert", false, "pkcs11:token=a"),
            ("pkcs11:id=%01;serial=7", false, "pkcs11:serial=7"),
        ])
    func tokenPart(text: String, isTokenOnly: Bool, part: String) throws {
        let uri = try PKCS11URI(text)
        #expect(uri.isTokenOnly == isTokenOnly)
        #expect(uri.tokenPart.description == part)
        #expect(uri.tokenPart.isTokenOnly)
    }
}
