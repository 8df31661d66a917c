import PKCS11URI
import Testing

private let pinValue =
    "pin-value is refused, because others can read a PIN in a file or an argument; "
    + "remove it, and set pin-source in [[token]] or run 'tokenward unlock'"

@Suite("A URI with a PIN in it")
struct PINInURITests {
    @Test(
        "A PIN is refused wherever it stands, with the reason and without the PIN",
        arguments: [
            ("pkcs11:?pin-value=73519", 9),
            ("pkcs11:token=a?pin-value=73519", 16),
            ("pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-value=73519", 80),
            ("pkcs11:token=a;pin-value=73519", 16),
            ("pkcs11:token=a&pin-value=73519", 16),
            ("pkcs11:?pin-source=a&pin-value=73519", 22),
            ("pkcs11:?pin-source=a?pin-value=73519", 22),
            ("pkcs11:?pin-source=a;pin-value=73519", 22),
            ("pkcs11:?PIN-Value=73519", 9),
            ("pkcs11:?pin-value=73519&pin-value=73519", 9),
            ("pkcs11:?pin-value=", 9),
            ("pkcs11:?pin-value=73%519", 9),
            ("pkcs11:?pin-value=73#519", 9),
            ("pkcs11:;;;tokn=%zz?pin-value=73519", 20),
            ("pin-value=73519", 1),
            ("https://example.com/?pin-value=73519", 22),
        ])
    func pin(text: String, column: Int) {
        expectFault(text, "column \(column): \(pinValue)")
    }

    @Test(
        "No message holds a value",
        arguments: [
            "pkcs11:?pinvalue=73519", "pkcs11:?pin_value=73519", "pkcs11:?pin=73519", "pkcs11:?pin%2Dvalue=73519",
            "pkcs11:?pin-value%3D73519", "pkcs11:type=73519", "pkcs11:slot-id=73519x", "pkcs11:library-version=73519",
            "pkcs11:?pin-source=73519%", "pkcs11:token=73519;token=73519", "pkcs11:73519", "73519",
        ])
    func silence(text: String) {
        let error = #expect(throws: PKCS11URIError.self) { try PKCS11URI(text) }
        #expect(error?.message.contains("73519") == false)
        #expect(error?.message.contains("\n") == false)
    }
}
