/// The first step of SigV4's signing key (IAM user guide, "Create a signed AWS API request"): HMAC-SHA256 with a secret key
/// of the token, which holds `AWS4` and the secret of an access key, over a day.
///
/// It has no bytes to sign but the eight digits of the day, so that nothing else can be asked of such a key.
package struct DateKeyRequest: Hashable, Sendable {
    /// The bytes of HMAC-SHA256 (FIPS 198-1).
    package static let length = 32

    package var token: TokenReference
    /// CKA_ID of the secret key; nil: any.
    package var keyID: [UInt8]?
    /// CKA_LABEL of the secret key; nil: any.
    package var keyLabel: [UInt8]?
    package var day: SigningDay

    package init(token: TokenReference, keyID: [UInt8]?, keyLabel: [UInt8]?, day: SigningDay) {
        self.token = token
        self.keyID = keyID
        self.keyLabel = keyLabel
        self.day = day
    }
}

/// A day in UTC, as SigV4 writes it: `yyyyMMdd`.
package struct SigningDay: Hashable, Sendable {
    /// Eight ASCII digits.
    package let digits: [UInt8]

    /// Nil for what is no day of these centuries.
    package init?(_ digits: some Sequence<UInt8>) {
        let digits = Array(digits)
        let zero = UInt8(ascii: "0")
        guard digits.count == 8, digits.allSatisfy((zero...zero + 9).contains), digits[0] == zero + 2 else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + Int($1 - zero) } }
        guard (1...12).contains(number(4..<6)), (1...31).contains(number(6..<8)) else { return nil }
        self.digits = digits
    }
}

extension DateKeyRequest: WireValue {
    package func write(to writer: inout WireWriter) { writer.add(token, keyID, keyLabel, day.digits) }

    package init(from reader: inout WireReader) throws(WireError) {
        token = try reader.value()
        keyID = try reader.value()
        keyLabel = try reader.value()
        guard let day = SigningDay(try reader.list(upTo: 8) as [UInt8]) else { throw .badValue }
        self.day = day
    }
}
