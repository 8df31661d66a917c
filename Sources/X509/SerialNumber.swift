import COpenSSL
import Encodings

/// A certificate's serial number: an integer of any size, which some issuers make negative against RFC 5280 §4.1.2.2.
package struct SerialNumber: Hashable, Sendable {
    /// Without leading zeros, as in the `Credential` of a Roles Anywhere request.
    package let decimal: String
    /// Upper case, an even number of digits, as Roles Anywhere names sessions.
    package let hexadecimal: String
    /// The INTEGER as it stands in the certificate, DER: CKA_SERIAL_NUMBER (PKCS#11 2.40 §4.6.3).
    package let der: [UInt8]
}

extension SerialNumber {
    /// Copies an `ASN1_INTEGER`; nil where it is none.
    init?(_ integer: UnsafePointer<ASN1_INTEGER>?) {
        guard let number = unsafe Owned(ASN1_INTEGER_to_BN(integer, nil), freedBy: { unsafe BN_free($0) }) else {
            return nil
        }
        let isNegative = unsafe number.use { unsafe BN_is_negative($0) == 1 }
        let magnitude = bigEndianBytes(number)
        der = unsafe derBytes { unsafe i2d_ASN1_INTEGER(integer, $0) }
        hexadecimal = (isNegative ? "-" : "") + Hexadecimal.encode(magnitude.isEmpty ? [0] : magnitude, .uppercase)
        guard let text = unsafe number.use({ unsafe BN_bn2dec($0) }) else { return nil }
        decimal = unsafe String(cString: text)
        unsafe tokenward_OPENSSL_free(text)
    }
}

/// A serial number as a person writes it, to be compared as an integer.
///
/// `0x` before the digits, colons between them or a letter among them make them hexadecimal. Digits alone may be either:
/// `openssl x509 -serial` writes them without any mark.
package struct SerialNumberText: Hashable, Sendable {
    package enum Reading: Hashable, Sendable { case decimal, hexadecimal }

    private let isHexadecimal: Bool
    private let digits: String

    /// Nil where the text is no integer, or longer than any certificate's serial number.
    package init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        if rest.starts(with: "serial=".utf8) { rest = rest.dropFirst(7) }  // OpenSSL's whole line
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        let isMarked = rest.starts(with: "0x".utf8) || rest.starts(with: "0X".utf8)
        if isMarked { rest = rest.dropFirst(2) }
        let hasColons = rest.contains(UInt8(ascii: ":"))
        if hasColons {
            let groups = rest.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard groups.allSatisfy({ (1...2).contains($0.count) }) else { return nil }
            // OpenSSL writes each byte with two digits; the first may come with one.
            guard groups.dropFirst().allSatisfy({ $0.count == 2 }) else { return nil }
            rest = groups.flatMap { $0 }[...]
        }
        let values = rest.map { $0.hexadecimalDigit ?? .max }
        guard (1...4 * Certificate.maximumSerialSize).contains(values.count), !values.contains(.max) else { return nil }
        isHexadecimal = isMarked || hasColons || values.contains { $0 > 9 }
        let significant = rest.drop { $0 == UInt8(ascii: "0") }
        let magnitude = String(decoding: significant.isEmpty ? [UInt8(ascii: "0")] : significant, as: UTF8.self)
        digits = (isNegative && magnitude != "0" ? "-" : "") + magnitude.uppercased()
    }

    /// As which kind of digits the text is this number; nil where it is another one.
    package func reading(of serial: SerialNumber) -> Reading? {
        if !isHexadecimal, serial.decimal == digits { return .decimal }
        let isNegative = serial.hexadecimal.hasPrefix("-")
        let magnitude = serial.hexadecimal.dropFirst(isNegative ? 1 : 0).drop { $0 == "0" }
        return (isNegative ? "-" : "") + (magnitude.isEmpty ? "0" : magnitude) == digits ? .hexadecimal : nil
    }
}
