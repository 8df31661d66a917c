package import PKCS11URI
import PlainText

extension TokenDescription {
    /// The label for a message: what is no plain character becomes `?`.
    package var displayName: String { plainName.isEmpty ? "without a label" : "\"\(plainName)\"" }

    /// The label for a field of the log, which quotes it where it must.
    package var plainName: String {
        PlainText.terminal(String(decoding: label.isEmpty ? serial : label, as: UTF8.self))
    }
}
