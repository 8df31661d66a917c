/// The padding of the fixed-width text fields of CK_INFO, CK_SLOT_INFO and CK_TOKEN_INFO (PKCS#11 2.40 §3.1, §3.2).
enum Padding {
    /// `text` without blanks and NULs on its right: some modules pad with NULs, against the specification.
    static func trimmed(_ text: [UInt8]) -> ArraySlice<UInt8> {
        let last = text.lastIndex { $0 != UInt8(ascii: " ") && $0 != 0 }
        return text.prefix(last.map { $0 + 1 } ?? 0)
    }
}
