/// What tells one token from another: the text fields of CK_TOKEN_INFO, without their padding (PKCS#11 2.40 §3.2).
///
/// Bytes, not strings: tokens hold what their makers wrote, and that need not be UTF-8.
package struct TokenDescription: Hashable, Sendable {
    package var label: [UInt8]
    package var manufacturer: [UInt8]
    package var model: [UInt8]
    package var serial: [UInt8]

    package init(label: [UInt8], manufacturer: [UInt8], model: [UInt8], serial: [UInt8]) {
        self.label = label
        self.manufacturer = manufacturer
        self.model = model
        self.serial = serial
    }
}
