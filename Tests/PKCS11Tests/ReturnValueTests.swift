import Testing

@testable import PKCS11

@Suite("Return codes")
struct ReturnValueTests {
    /// The names and numbers of PKCS#11 3.0, pkcs11t.h.
    @Test(
        "A code prints as the manuals call it, and an unknown one as its number",
        arguments: [
            (0x0, "CKR_OK"), (0xA0, "CKR_PIN_INCORRECT"), (0xA4, "CKR_PIN_LOCKED"), (0x30, "CKR_DEVICE_ERROR"),
            (0x101, "CKR_USER_NOT_LOGGED_IN"), (0x200, "CKR_FUNCTION_REJECTED"), (0x777, "0x777"),
            (0x8000_0000, "CKR_VENDOR_DEFINED+0x0"), (0x8000_0012, "CKR_VENDOR_DEFINED+0x12"),
        ] as [(UInt, String)])
    func prints(code: UInt, name: String) {
        #expect("\(ReturnValue(rawValue: code))" == name)
    }

    @Test("Padding goes, of blanks and of NULs, and what is inside stays")
    func padding() {
        let field: (UInt8, UInt8, UInt8, UInt8, UInt8) = (0x20, 0x41, 0x20, 0x00, 0x20)
        #expect(unpadded(field) == [0x20, 0x41])
        #expect(unpadded((UInt8(0x20), UInt8(0x00))) == [])
    }
}
