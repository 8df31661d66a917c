package import PKCS11URI

extension TokenDescription {
    /// The label for a message: what is no plain character becomes `?`.
    package var displayName: String { plainName.isEmpty ? "without a label" : "\"\(plainName)\"" }

    /// The label for a field of the log, which quotes it where it must.
    package var plainName: String {
        let text = label.isEmpty ? serial : label
        return String(decoding: text.map { $0 < 0x20 || $0 == 0x7F ? 0x3F : $0 }, as: UTF8.self)
    }
}
