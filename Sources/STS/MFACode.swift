package import AWSNames
import Encodings

/// The six digits that an MFA device shows. It prints as `‹redacted›`, and is never a `String`.
package struct MFACode: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let digits: [UInt8]

    /// - Throws: `RequestFault` for other bytes than six digits (STS API reference, `TokenCode`). It does not quote them.
    package init(_ bytes: Span<UInt8>) throws(RequestFault) {
        var digits: [UInt8] = []
        for index in 0..<min(bytes.count, 7) where bytes[index].isDigit { digits.append(bytes[index]) }
        guard bytes.count == 6, digits.count == 6 else {
            throw RequestFault(message: bytes.isEmpty ? "the MFA code is empty" : "an MFA code has six digits")
        }
        self.digits = digits
    }

    package var description: String { "‹redacted›" }
    package var debugDescription: String { "‹redacted›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What shows that a person has an MFA device.
package struct MFAProof: Hashable, Sendable {
    /// Of the device: its ARN, or the number printed on it.
    package let serial: String
    package let code: MFACode

    /// - Throws: `RequestFault` if the serial cannot be one.
    package init(serial: String, code: MFACode) throws(RequestFault) {
        try RequestText.mfaSerial.check(serial)
        self.serial = serial
        self.code = code
    }
}
